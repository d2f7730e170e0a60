import { numberWords } from "../record/features";
import { texts } from "../texts/en";
import type { Nifti } from "./nifti";

/** The grey values that are drawn black and white. */
export interface Window {
  readonly low: number;
  readonly high: number;
}

export type Preset = "brain" | "subdural" | "bone" | "automatic";

/**
 * Widths and levels in Hounsfield units, as teaching references for head CT give them: brain W 80 L 40, subdural
 * W 130-300 L 50-100 (the middle of both is taken), bone W 2800 L 600
 * (https://radiopaedia.org/articles/windowing-ct). Workstations let each department choose its own.
 */
const CT_PRESETS: Readonly<Record<Exclude<Preset, "automatic">, { width: number; level: number }>> = {
  brain: { width: 80, level: 40 },
  subdural: { width: 200, level: 75 },
  bone: { width: 2800, level: 600 },
};

/** Black and white of an image without a scale of its own, as the service's pictures of MR have them. */
const PERCENTILES = { low: 0.01, high: 0.998 };
/** White lies above the percentile, so that white matter keeps its texture. */
const HEADROOM = 1.15;
const SAMPLES = 200_000;

/** Presets that make sense for a modality, the first is the one to begin with. */
export function presetsOf(modality: string): readonly Preset[] {
  return modality === "CT" ? ["brain", "subdural", "bone"] : ["automatic"];
}

export function windowOf(preset: Preset, image: Nifti): Window {
  if (preset === "automatic") {
    return percentileWindow(image);
  }
  const { width, level } = CT_PRESETS[preset];
  return { low: level - width / 2, high: level + width / 2 };
}

/** Percentiles of an even sample of the voxels: sorting all of a large image takes seconds. */
function percentileWindow({ voxels, slope, intercept }: Nifti): Window {
  const step = Math.max(1, Math.floor(voxels.length / SAMPLES));
  const sample = Float32Array.from(
    { length: Math.ceil(voxels.length / step) },
    (_, index) => voxels[index * step] ?? 0,
  ).sort();
  const at = (share: number): number =>
    (sample[Math.round(share * (sample.length - 1))] ?? 0) * slope + intercept;
  const low = at(PERCENTILES.low);
  const high = low + (at(PERCENTILES.high) - low) * HEADROOM;
  return { low, high: high > low ? high : low + 1 };
}

/** A grey value in words, as finely as a window tells values apart: those of an MR may go from 0 to 1. */
export function greyWords(value: number, { low, high }: Window): string {
  return high - low < 10 ? numberWords(value) : String(Math.round(value));
}

export function windowWords(window: Window): string {
  const { low, high } = window;
  return texts.viewer.windowWords(greyWords(high - low, window), greyWords((high + low) / 2, window));
}
