import type { Answer } from "../api/types";
import { texts } from "../texts/en";
import { valueWords } from "./classes";

type FeatureUsed = Answer["ehr"]["features"][number];

/** What the network took a value for that lies beyond what training held; null where it took it as it is. */
export function takenWords({ taken_as: taken, unit }: Pick<FeatureUsed, "taken_as" | "unit">): string | null {
  if (taken === undefined || taken === null) return null;
  const words = taken === "missing" ? texts.result.contributions.unknown : valueWords(rounded(taken), unit);
  return texts.result.contributions.takenAs(words);
}

/** Limits are means and deviations of training: three digits say all there is. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
