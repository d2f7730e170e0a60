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
 * Whole counts of 100 for every class that add up to 100, each within one of its share (largest remainders first;
 * of equal remainders the earlier class).
 */
export function countsOf100(probabilities: readonly number[]): number[] {
  const total = probabilities.reduce((sum, probability) => sum + probability, 0);
  const shares = probabilities.map((probability) => (probability / total) * 100);
  const counts = shares.map(Math.floor);
  const left = 100 - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = shares
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, left)) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}
