import type { CurvePoint } from "../api/types";
import { texts } from "../texts/en";

/** The one probability that a question is about: of a favourable outcome, or of the disease. */
export type Headline = { words: string; value: number };

/** @param point a prediction, or one point of a curve */
export function headlineOf({ favourable, probabilities }: CurvePoint): Headline {
  if (favourable !== null) return { words: texts.whatIf.of.favourable ?? "", value: favourable };
  const label = diseaseOf(probabilities);
  return { words: texts.whatIf.of[label] ?? texts.worklist.labelOf(label), value: probabilities[label] ?? 0 };
}

/** `ad` where the package knows it, otherwise its last class: classes go from well to ill. */
function diseaseOf(probabilities: Record<string, number>): string {
  return "ad" in probabilities ? "ad" : (Object.keys(probabilities).at(-1) ?? "");
}

/** In tenths of a percent, with a bound instead of a certainty that the model does not have. */
export function percentOf(value: number): string {
  if (value < 0.0005) return "< 0.1 %";
  return value >= 0.9995 ? "> 99.9 %" : `${(100 * value).toFixed(1)} %`;
}

/** A change in percentage points with its sign; null where it rounds to nothing. */
export function changeOf(from: number, to: number): string | null {
  const points = 100 * (to - from);
  if (Math.abs(points) < 0.05) return null;
  return `${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(1)}`;
}
