import type { Contribution, Outcome } from "../api/types";
import { texts } from "../texts/en";
import { className, type Manifest } from "./classes";

/** Which way a known value moved the probability, in whole percentage points. */
export type Effect = { name: string; direction: "raises" | "lowers" | "none"; points: number; share: number };

/** Differences below half a point are said to be none: they would read as 0. */
const LEAST = 0.005;

/**
 * The service's contributions, the strongest first.
 *
 * An effect is P(as answered) minus P(with this one feature missing, all else equal); P is the probability of what
 * `measureOf` says. Effects do not add up: features act together.
 */
export function effectsOf(contributions: readonly Contribution[]): Effect[] {
  return [...contributions]
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
    .map(({ name, effect }) => ({
      name,
      direction: Math.abs(effect) < LEAST ? "none" : effect > 0 ? "raises" : "lowers",
      points: Math.round(Math.abs(effect) * 100),
      share: effect,
    }));
}

/** What the effects are effects on, in words: a favourable outcome, else the package's last class. */
export function measureOf({ favourable, probabilities }: Outcome, manifest: Manifest | null): string {
  if (favourable !== null) return texts.result.contributions.favourable;
  return className(Object.keys(probabilities).at(-1) ?? "", manifest);
}

/** The length that the longest bar stands for: at least ten points, so that trifles stay short. */
export function scaleOf(effects: readonly Effect[]): number {
  return Math.max(0.1, ...effects.map(({ share }) => Math.abs(share)));
}
