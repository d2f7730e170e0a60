import { useId } from "react";
import type { Answer, ModelDetail, Outcome } from "../api/types";
import { IconArray } from "../charts/IconArray";
import { texts } from "../texts/en";
import { className } from "./classes";
import { type Count, countsOf100, outOf100 } from "./frequencies";

const t = texts.result.statement;

type Props = { answer: Answer; model: ModelDetail | null };

/** The probability as people count, with its figure and what its calibration rests on. */
export function Statement({ answer, model }: Props) {
  const title = useId();
  const { prediction } = answer;
  const manifest = model?.manifest ?? null;
  const { probability, words } = headline(prediction, (label) => className(label, manifest));
  const share = Math.round(probability * 100);
  return (
    <section className="panel" aria-labelledby={title}>
      <h2 id={title}>{t.title}</h2>
      <p className="statement-figure" data-muted={prediction.abstained || undefined}>
        <strong>{countWords(outOf100(probability))}</strong> {t.of}
      </p>
      {/* Also where the cautions are on another sheet of paper, or scrolled away. */}
      {prediction.abstained && (
        <p className="statement-abstained">
          <strong>{texts.result.cautions.abstained}.</strong> {t.inspection}
        </p>
      )}
      <p>{words}</p>
      <IconArray counts={[share, 100 - share]} label={t.array(words)} />
      {manifest && (
        <p className="small quiet">{t.calibrated(manifest.calibration.n, manifest.training_data)}</p>
      )}
    </section>
  );
}

/** The sentence of an answer, and the probability that it is about. */
export function headline(
  outcome: Outcome,
  nameOf: (label: string) => string,
): { probability: number; words: string } {
  const { event, probability } = eventOf(outcome);
  const count = countWords(outOf100(probability));
  const words =
    event === null ? t.favourable(count) : t.class(count, t.would[event] ?? t.wouldBe(nameOf(event)));
  return { probability, words };
}

/** What the sentence is about: a favourable outcome (null), or one class. */
function eventOf({ favourable, probabilities, label }: Outcome): {
  event: string | null;
  probability: number;
} {
  if (favourable !== null) return { event: null, probability: favourable };
  const event = "ad" in probabilities ? "ad" : label;
  return { event, probability: probabilities[event] ?? 0 };
}

export function countWords({ kind, of100 }: Count): string {
  return { about: t.about, "fewer-than": t.fewerThan, "more-than": t.moreThan }[kind](of100);
}

/**
 * Probabilities of all classes in whole percent that add up to 100, and to the figure of the sentence.
 *
 * @param favourable labels of the favourable classes; empty where the package has none, or is not known any more
 */
export function percentsOf(outcome: Outcome, favourable: readonly string[]): [string, number][] {
  const labels = Object.keys(outcome.probabilities);
  const { event, probability } = eventOf(outcome);
  const isEvent = labels.map((label) => (event === null ? favourable.includes(label) : label === event));
  const counts = countsOf100(
    Object.values(outcome.probabilities),
    isEvent,
    isEvent.some(Boolean) ? probability : 0,
  );
  return labels.map((label, index) => [label, counts[index] ?? 0]);
}
