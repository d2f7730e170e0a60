import type { Outcome, WhatIf } from "../api/types";
import { texts } from "../texts/en";
import { changeOf, headlineOf, percentOf } from "./headline";
import type { Asked } from "./useWhatIf";

const t = texts.whatIf;

type Props = { original: Outcome; asked: Asked<WhatIf>; isChanged: boolean };

/** The answer as it was given, and beside it the one for the changed record. */
export function Comparison({ original, asked, isChanged }: Props) {
  const before = headlineOf(original);
  const now = isChanged ? (asked.answer?.prediction ?? null) : original;
  const isStale = isChanged && asked.pending;
  return (
    <div className="comparison">
      <div>
        <h3>{t.original}</h3>
        <p className="figure">{percentOf(before.value)}</p>
        <Classes outcome={original} />
        <Cautions outcome={original} />
      </div>
      <div aria-busy={isStale} data-stale={isStale} aria-live="polite">
        <h3>{isStale ? t.asking : t.now}</h3>
        {now ? (
          <Now before={before.value} outcome={now} isChanged={isChanged} />
        ) : (
          <p className="figure">…</p>
        )}
      </div>
      <p className="comparison-of quiet">{before.words}</p>
    </div>
  );
}

function Now({ before, outcome, isChanged }: { before: number; outcome: Outcome; isChanged: boolean }) {
  const { value } = headlineOf(outcome);
  const change = changeOf(before, value);
  return (
    <>
      <p className="figure">
        {percentOf(value)}
        {isChanged && <span className="change quiet">{change ? t.difference(change) : t.same}</span>}
      </p>
      <Classes outcome={outcome} />
      <Cautions outcome={outcome} />
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
function Cautions({ outcome: { abstained, out_of_distribution } }: { outcome: Outcome }) {
  const { worklist } = texts;
  const found = [abstained && worklist.abstained, out_of_distribution.flagged && worklist.outOfDistribution];
  return <p className="comparison-cautions small">{found.filter(Boolean).join(", ")}</p>;
}
