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

/** Every value of a record that the network took for another one, with what it took it for. */
export function allTaken({ features }: Answer["ehr"], titleOf: (name: string) => string): string[] {
  return features.flatMap((used) => {
    const taken = takenWords(used);
    return taken === null ? [] : [`${titleOf(used.name)} ${valueWords(used.value, used.unit)} ${taken}`];
  });
}

/** Limits are means and deviations of training: three digits say all there is. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
