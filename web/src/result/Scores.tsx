import { useId } from "react";
import { texts } from "../texts/en";
import { type Bounds, ScoreNumber } from "./ScoreNumber";
import {
  FUNC_MAXIMUM,
  funcScore,
  ICH_MAXIMUM,
  ichScore,
  LOCATIONS,
  type Score,
  type ScoreInputs,
} from "./scores";
import type { Entered, RecordInputs } from "./useScores";
import { VolumeInput } from "./VolumeInput";

const t = texts.result.scores;

type Props = {
  record: RecordInputs;
  entered: Entered;
  inputs: ScoreInputs;
  onChange: (entered: Entered) => void;
};

/** Two published bedside scores beside the model's answer, for comparison. */
export function Scores({ record, entered, inputs, onChange }: Props) {
  const set = (change: Partial<Entered>) => onChange({ ...entered, ...change });
  return (
    <section className="panel" aria-labelledby="scores-title">
      <h2 id="scores-title">{t.title}</h2>
      <p className="small quiet">{t.about}</p>
      <div className="scores-inputs">
        {(["age", "gcs"] as const).map((name) => (
          <FromRecord
            key={name}
            label={t.inputs[name]}
            bounds={BOUNDS[name]}
            recorded={record[name]}
            value={entered[name]}
            onChange={(value) => set({ [name]: value })}
          />
        ))}
        <VolumeInput value={entered.volumeMl} onChange={(volumeMl) => set({ volumeMl })} />
        <Choice
          label={t.inputs.intraventricular}
          value={entered.intraventricular}
          choices={YES_NO}
          onChange={(intraventricular) => set({ intraventricular })}
        />
        <Choice
          label={t.inputs.location}
          value={entered.location}
          choices={LOCATIONS.map((value) => ({ value, words: t.locations[value] }))}
          onChange={(location) => set({ location })}
        />
        <Choice
          label={t.inputs.cognitiveImpairment}
          value={entered.cognitiveImpairment}
          choices={YES_NO}
          onChange={(cognitiveImpairment) => set({ cognitiveImpairment })}
        />
      </div>
      <ScoreLines inputs={inputs} />
      <p className="small quiet">{t.note}</p>
    </section>
  );
}

/** Both scores in words, or what they still need. */
export function ScoreLines({ inputs }: { inputs: ScoreInputs }) {
  return (
    <dl className="scores">
      <ScoreLine score={ichScore(inputs)} maximum={ICH_MAXIMUM} words={t.ich} />
      <ScoreLine score={funcScore(inputs)} maximum={FUNC_MAXIMUM} words={t.func} />
    </dl>
  );
}

type LineProps = { score: Score; maximum: number; words: typeof t.ich };

function ScoreLine({ score, maximum, words }: LineProps) {
  return (
    <div>
      <dt>{words.name}</dt>
      <dd>
        {"missing" in score ? (
          <span className="quiet">{t.needs(score.missing.map((input) => t.inputs[input]).join(", "))}</span>
        ) : (
          <>
            <strong>{t.points(score.points, maximum)}.</strong> {words.outcome(Math.round(score.share * 100))}
          </>
        )}
        <small>{words.source}</small>
      </dd>
    </div>
  );
}

const YES_NO = [
  { value: true, words: t.yes },
  { value: false, words: t.no },
];

/** Age in years; the Glasgow Coma Scale goes from 3 to 15 (Teasdale and Jennett, Lancet 1974;304:81-84). */
const BOUNDS = { age: { low: 0, high: 120 }, gcs: { low: 3, high: 15, whole: true } };

type NumberProps = {
  label: string;
  bounds: Bounds;
  recorded: number | null;
  value: number | null;
  onChange: (value: number | null) => void;
};

function FromRecord({ label, bounds, recorded, value, onChange }: NumberProps) {
  const id = useId();
  const isRecorded = recorded !== null;
  return (
    <div className="scores-input">
      <label htmlFor={id}>{label}</label>
      <ScoreNumber
        id={id}
        bounds={bounds}
        value={recorded ?? value}
        onChange={onChange}
        note={isRecorded ? t.fromRecord : t.origin(value !== null)}
        readOnly={isRecorded}
      />
    </div>
  );
}

type ChoiceProps<T> = {
  label: string;
  value: T | null;
  choices: readonly { value: T; words: string }[];
  onChange: (value: T | null) => void;
};

function Choice<T extends string | boolean>({ label, value, choices, onChange }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div className="scores-input">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value === null ? "" : String(value)}
        onChange={(event) =>
          onChange(choices.find((choice) => String(choice.value) === event.target.value)?.value ?? null)
        }
      >
        <option value="">{t.choose}</option>
        {choices.map((choice) => (
          <option key={String(choice.value)} value={String(choice.value)}>
            {choice.words}
          </option>
        ))}
      </select>
      <small>{t.origin(value !== null)}</small>
    </div>
  );
}
