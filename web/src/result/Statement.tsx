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
  { favourable, probabilities, label }: Outcome,
  nameOf: (label: string) => string,
): { probability: number; words: string } {
  if (favourable !== null) {
    return { probability: favourable, words: t.favourable(countWords(outOf100(favourable))) };
  }
  const event = "ad" in probabilities ? "ad" : label;
  const probability = probabilities[event] ?? 0;
  return {
    probability,
    words: t.class(countWords(outOf100(probability)), t.would[event] ?? t.wouldBe(nameOf(event))),
  };
}

export function countWords({ kind, of100 }: Count): string {
  return { about: t.about, "fewer-than": t.fewerThan, "more-than": t.moreThan }[kind](of100);
}

/** Probabilities of all classes in whole percent that add up to 100. */
export function percentsOf(probabilities: Readonly<Record<string, number>>): [string, number][] {
  const counts = countsOf100(Object.values(probabilities));
  return Object.keys(probabilities).map((label, index) => [label, counts[index] ?? 0]);
}
