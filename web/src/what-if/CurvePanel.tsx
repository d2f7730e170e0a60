import { Suspense, useEffect, useMemo, useState } from "react";
import { curve } from "../api/predictions";
import type { Curve, PatientRecord } from "../api/types";
import { lazyPart } from "../app/lazy-part";
import { ProblemNotice } from "../app/ProblemNotice";
import { type Feature, numberWords, unitWords } from "../record/features";
import { takenWords } from "../result/taken";
import { texts } from "../texts/en";
import { headlineOf, percentOf } from "./headline";
import { isShaded, limitsOf } from "./limits";
import { valueWords } from "./record";
import { useAsked } from "./useWhatIf";

const CurveChart = lazyPart(() => import("./CurveChart"));
const t = texts.whatIf;
const POINTS = 21;

type Props = {
  predictionId: string;
  features: Feature[];
  record: PatientRecord;
  /** Told of every failure; the curve is asked first, so it is the first to know that a case is gone. */
  onError: (error: unknown) => void;
};

/** The probability over one feature, all else as it is set now. */
export function CurvePanel({ predictionId, features, record, onError }: Props) {
  const first = features.find(({ kind }) => kind === "number") ?? features[0];
  const [name, setName] = useState(first?.name ?? "");
  const feature = features.find((one) => one.name === name);
  const question = useMemo(() => ({ name, record }), [name, record]);
  const { answer, error, pending, again } = useAsked(predictionId, question, (asked, signal) =>
    curve(predictionId, asked.record, asked.name, POINTS, signal),
  );
  useEffect(() => onError(error), [error, onError]);
  return (
    <div className="curve">
      <label className="curve-choice">
        {t.curveOf}
        <select value={name} onChange={(event) => setName(event.target.value)}>
          {features.map((one) => (
            <option key={one.name} value={one.name}>
              {one.title}
            </option>
          ))}
        </select>
      </label>
      {error !== null && <ProblemNotice error={error} onRetry={again} />}
      {pending && answer?.feature !== name && <p className="quiet">{t.asking}</p>}
      {answer && feature && answer.feature === name && (
        <Drawn answer={answer} feature={feature} record={record} isStale={pending} />
      )}
    </div>
  );
}

type DrawnProps = {
  answer: Curve;
  feature: Feature;
  record: PatientRecord;
  /** Whether the curve is still that of the record before. */
  isStale: boolean;
};

function Drawn({ answer, feature, record, isStale }: DrawnProps) {
  const heights = answer.outcomes.map((point) => headlineOf(point).value);
  const { words, value: missing } = headlineOf(answer.missing);
  const isNumeric = feature.kind === "number";
  const places = answer.values.map((value, index) => (typeof value === "number" ? value : index));
  const names = isNumeric
    ? null
    : answer.values.map((value) => texts.record.categories[value] ?? String(value));
  const value = record[feature.name];
  const here = isNumeric ? value : answer.values.indexOf(value as string);
  return (
    <figure aria-busy={isStale} data-stale={isStale}>
      <figcaption className="quiet small">
        {t.curveTitle(feature.title)}: {words}.{" "}
        {summaryOf(feature, names ?? places.map(numberWords), heights)} {beyondOf(answer, feature, names)}
      </figcaption>
      <Suspense fallback={null}>
        <CurveChart
          places={places}
          heights={heights}
          names={names}
          missing={missing}
          limits={limitsOf(answer)}
          here={typeof here === "number" && here >= 0 ? here : null}
          axis={t.axis(feature.title, isNumeric ? unitWords(feature.unit) : "")}
          title={feature.title}
          wordsOf={(place) => valueWords(feature, names ? answer.values[place] : place, t.unknown)}
        />
      </Suspense>
    </figure>
  );
}

/** The curve in words, for those who do not see it. */
function summaryOf({ title }: Feature, places: string[], heights: number[]): string {
  const [low, high] = [places[0] ?? "", places.at(-1) ?? ""];
  return t.curveSummary(title, low, high, percentOf(heights[0] ?? 0), percentOf(heights.at(-1) ?? 0));
}

/** Where the line lies beyond what training held: it is level there, whatever the truth is. */
function beyondOf(answer: Curve, { title }: Feature, names: string[] | null): string {
  const words = answer.taken_as.flatMap((taken, index) => {
    const as = takenWords({ taken_as: taken, unit: answer.unit });
    return as === null ? [] : [`${names?.[index] ?? title} ${as}`];
  });
  if (words.length === 0) return "";
  return t.curveBeyond([...new Set(words)].join("; "), isShaded(limitsOf(answer)));
}
