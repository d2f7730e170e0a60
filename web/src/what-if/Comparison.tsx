import type { Answer, Outcome, WhatIf } from "../api/types";
import type { Feature } from "../record/features";
import { takenWords } from "../result/taken";
import { texts } from "../texts/en";
import { changeOf, headlineOf, percentOf } from "./headline";
import type { Asked } from "./useWhatIf";

const t = texts.whatIf;

type Answered = Pick<Answer, "prediction" | "ehr">;
type Titled = readonly Pick<Feature, "name" | "title">[];
type Props = { original: Answered; asked: Asked<WhatIf>; isChanged: boolean; features: Titled };

/** The answer as it was given, and beside it the one for the changed record. */
export function Comparison({ original, asked, isChanged, features }: Props) {
  const before = headlineOf(original.prediction);
  const now = isChanged ? asked.answer : original;
  const isStale = isChanged && asked.pending;
  return (
    <div className="comparison">
      <div>
        <h3>{t.original}</h3>
        <p className="figure">{percentOf(before.value)}</p>
        <Classes outcome={original.prediction} />
        <Cautions answer={original} features={features} />
      </div>
      <div aria-busy={isStale} data-stale={isStale} aria-live="polite">
        <h3>{isStale ? t.asking : t.now}</h3>
        {now ? (
          <Now before={before.value} answer={now} isChanged={isChanged} features={features} />
        ) : (
          <p className="figure">…</p>
        )}
      </div>
      <p className="comparison-of quiet">{before.words}</p>
    </div>
  );
}

type NowProps = { before: number; answer: Answered; isChanged: boolean; features: Titled };

function Now({ before, answer, isChanged, features }: NowProps) {
  const { value } = headlineOf(answer.prediction);
  const change = changeOf(before, value);
  return (
    <>
      <p className="figure">
        {percentOf(value)}
        {isChanged && <span className="change quiet">{change ? t.difference(change) : t.same}</span>}
      </p>
      <Classes outcome={answer.prediction} />
      <Cautions answer={answer} features={features} />
    </>
  );
}

function Classes({ outcome: { probabilities } }: { outcome: Outcome }) {
  return (
    <ul className="what-if-classes quiet small">
      {Object.entries(probabilities).map(([label, value]) => (
        <li key={label}>
          {texts.worklist.labelOf(label)} <b>{percentOf(value)}</b>
        </li>
      ))}
    </ul>
  );
}

/** Another record may be as unlike the known cases as this one, or more. */
function Cautions({ answer, features }: { answer: Answered; features: Titled }) {
  const { abstained, out_of_distribution } = answer.prediction;
  const { worklist } = texts;
  const found = [
    abstained && worklist.abstained,
    out_of_distribution.flagged && worklist.outOfDistribution,
    beyondWords(answer, features),
  ];
  return <p className="comparison-cautions small">{found.filter(Boolean).join(", ")}</p>;
}

/** Values that the network took as others, with what it took them as; null where there are none. */
function beyondWords({ ehr }: Answered, features: Titled): string | null {
  const words = ehr.features.flatMap((used) => {
    const taken = takenWords(used);
    const title = features.find(({ name }) => name === used.name)?.title ?? used.name;
    return taken === null ? [] : [`${title} ${taken}`];
  });
  return words.length === 0 ? null : t.beyond(words.join(", "));
}
