/**
 * The two bedside scores after intracerebral haemorrhage, as published.
 *
 * - ICH Score: Hemphill et al., Stroke 2001;32:891-897. Death within 30 days.
 * - FUNC Score: Rost et al., Stroke 2008;39:2304-2309. Functional independence (GOS 4 or 5) at 90 days; the shares are
 *   those of the whole cohort, not of its survivors.
 * - Volume by ABC/2: Kothari et al., Stroke 1996;27:1304-1305.
 */

export const LOCATIONS = ["lobar", "deep", "infratentorial"] as const;
export type Location = (typeof LOCATIONS)[number];

/** What both scores are computed from; null where it is not known. */
export type ScoreInputs = {
  age: number | null;
  gcs: number | null;
  volumeMl: number | null;
  intraventricular: boolean | null;
  location: Location | null;
  cognitiveImpairment: boolean | null;
};

export type ScoreInput = keyof ScoreInputs;

/** A score with the share (0 to 1) of the published cohort in which its outcome came true, or what is missing. */
export type Score = { points: number; share: number } | { missing: ScoreInput[] };

const ICH_INPUTS = ["age", "gcs", "volumeMl", "intraventricular", "location"] as const;
const FUNC_INPUTS = ["age", "gcs", "volumeMl", "location", "cognitiveImpairment"] as const;

/** Death within 30 days by points. Nobody of the cohort had 6; the paper expects what 5 had. */
const ICH_DEATHS = [0, 0.13, 0.26, 0.72, 0.97, 1, 1];
/** Independence at 90 days, from this many points on. */
const FUNC_INDEPENDENT = [
  { from: 11, share: 0.82 },
  { from: 9, share: 0.66 },
  { from: 8, share: 0.42 },
  { from: 5, share: 0.13 },
  { from: 0, share: 0 },
];

export const ICH_MAXIMUM = 6;
export const FUNC_MAXIMUM = 11;

export function ichScore(inputs: ScoreInputs): Score {
  const missing = ICH_INPUTS.filter((input) => inputs[input] === null);
  const { age, gcs, volumeMl, intraventricular, location } = inputs;
  if (age === null || gcs === null || volumeMl === null || missing.length > 0) return { missing };
  const points =
    ichConsciousness(gcs) +
    Number(volumeMl >= 30) +
    Number(intraventricular) +
    Number(location === "infratentorial") +
    Number(age >= 80);
  return { points, share: ICH_DEATHS[points] ?? 1 };
}

export function funcScore(inputs: ScoreInputs): Score {
  const missing = FUNC_INPUTS.filter((input) => inputs[input] === null);
  const { age, gcs, volumeMl, location, cognitiveImpairment } = inputs;
  if (age === null || gcs === null || volumeMl === null || location === null || missing.length > 0)
    return { missing };
  const points =
    funcVolume(volumeMl) +
    funcAge(age) +
    { lobar: 2, deep: 1, infratentorial: 0 }[location] +
    2 * Number(gcs >= 9) +
    Number(!cognitiveImpairment);
  return { points, share: FUNC_INDEPENDENT.find(({ from }) => points >= from)?.share ?? 0 };
}

/** Volume of an ellipsoid in mL from its largest diameter, the one at right angles to it, and its height, in cm. */
export function abcHalf(aCm: number, bCm: number, cCm: number): number {
  return (aCm * bCm * cCm) / 2;
}

function ichConsciousness(gcs: number): number {
  if (gcs <= 4) return 2;
  return gcs <= 12 ? 1 : 0;
}

function funcVolume(volumeMl: number): number {
  if (volumeMl < 30) return 4;
  return volumeMl <= 60 ? 2 : 0;
}

function funcAge(age: number): number {
  if (age < 70) return 2;
  return age < 80 ? 1 : 0;
}
