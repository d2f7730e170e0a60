import type { WorklistItem } from "../api/types";
import { percentWords } from "../result/frequencies";
import { texts } from "../texts/en";

const t = texts.worklist;

/** The number people ask for: of a favourable outcome, or of the class that was answered; words where there is none. */
export function probabilityOf({
  favourable,
  probabilities,
  label,
}: Pick<WorklistItem, "favourable" | "probabilities" | "label">): string {
  const percent = (value: number) => percentWords(Math.round(100 * value));
  if (favourable !== null) return t.probability(percent(favourable), t.favourable);
  const probability = probabilities[label];
  return probability === undefined ? t.unreadable : t.probability(percent(probability), t.labelOf(label));
}
