/** A share of 100, as people count: whole, and never a certainty that the model does not have. */
export type Count = { kind: "about" | "fewer-than" | "more-than"; of100: number };

/** `0.713` is about 71 of 100; below half a patient and from 99.5 on, only a bound is said. */
export function outOf100(probability: number): Count {
  if (probability < 0.005) return { kind: "fewer-than", of100: 1 };
  if (probability >= 0.995) return { kind: "more-than", of100: 99 };
  return { kind: "about", of100: Math.round(probability * 100) };
}

/** A share in whole percent, with a bound instead of a certainty. */
export function percentWords(of100: number): string {
  if (of100 < 1) return "< 1 %";
  return of100 > 99 ? "> 99 %" : `${of100} %`;
}

/**
 * Whole counts of 100 for every class, each within one of its share, that add up: those of the event to what is said of
 * the event, and all to 100. Rounded each for itself, GOS 4 and 5 could be one more or less than the favourable outcome
 * above them.
 *
 * @param isEvent of each class
 * @param event the event's probability
 */
export function countsOf100(
  probabilities: readonly number[],
  isEvent: readonly boolean[],
  event: number,
): number[] {
  const total = Math.round(event * 100);
  const part = (wanted: boolean) => probabilities.filter((_, index) => (isEvent[index] ?? false) === wanted);
  const ours = apportioned(part(true), total);
  const others = apportioned(part(false), 100 - total);
  return probabilities.map((_, index) => (isEvent[index] ? ours.shift() : others.shift()) ?? 0);
}

/** Largest remainders first; of equal remainders the earlier class. */
function apportioned(probabilities: readonly number[], total: number): number[] {
  const shares = probabilities.map((probability) => probability * 100);
  const counts = shares.map(Math.floor);
  const left = total - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = shares
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, left)) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}
