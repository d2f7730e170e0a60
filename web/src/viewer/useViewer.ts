import { type RefObject, useCallback, useEffect, useState } from "react";
import { isAbort } from "../api/problem";
import { loadImages } from "./images";
import { type Peak, peakOf } from "./peak";
import { createViewer, FIRST_OVERLAY, type Viewer } from "./viewer";
import { type Preset, presetsOf, type Window, windowOf } from "./windows";

/** Where a case's images lie and what they are. */
export type Source = { image: string; heatmap: string | null; modality: string };

/** A viewer that shows a case. */
export type Open = {
  viewer: Viewer;
  peak: Peak | null;
  hasHeatmap: boolean;
  /** Windows that make sense for the image, the one it began with first. */
  presets: ReadonlyMap<Preset, Window>;
};

export type Opening =
  | { state: "loading" }
  | { state: "open"; open: Open }
  | { state: "failed"; error: unknown };

/** Opens a viewer in an element for as long as the source stays the same; then its graphics memory is given back. */
export function useViewer(
  host: RefObject<HTMLElement | null>,
  source: Source,
): Opening & { again: () => void } {
  const [opening, setOpening] = useState<Opening>({ state: "loading" });
  const [round, setRound] = useState(0);
  const { image, heatmap, modality } = source;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` opens the same images once more
  useEffect(() => {
    const place = host.current;
    if (place === null) return;
    const aborter = new AbortController();
    const opened = openViewer(place, { image, heatmap, modality }, aborter.signal);
    setOpening({ state: "loading" });
    opened.then(
      (open) => !aborter.signal.aborted && setOpening({ state: "open", open }),
      (error: unknown) =>
        !isAbort(error) && !aborter.signal.aborted && setOpening({ state: "failed", error }),
    );
    return () => {
      aborter.abort();
      opened.then(
        ({ viewer }) => viewer.dispose(),
        () => {}, // it never opened
      );
    };
  }, [host, image, heatmap, modality, round]);
  return { ...opening, again: useCallback(() => setRound((n) => n + 1), []) };
}

/** Also for pictures without a panel. The caller disposes of the viewer; where this throws, it is already gone. */
export async function openViewer(host: HTMLElement, source: Source, signal: AbortSignal): Promise<Open> {
  // The code travels beside the images.
  const [images, viewer] = await both(loadImages(source.image, source.heatmap, signal), createViewer(host));
  try {
    signal.throwIfAborted();
    const { image, heatmap } = images;
    const presets = new Map(presetsOf(source.modality).map((preset) => [preset, windowOf(preset, image)]));
    const [first = { low: 0, high: 1 }] = presets.values();
    const peak = heatmap && peakOf(heatmap);
    await viewer.show(images, first, FIRST_OVERLAY);
    if (peak) viewer.moveTo(peak.place);
    return { viewer, peak, hasHeatmap: heatmap !== null, presets };
  } catch (error) {
    viewer.dispose();
    throw error;
  }
}

async function both<T>(images: Promise<T>, viewer: Promise<Viewer>): Promise<[T, Viewer]> {
  try {
    return await Promise.all([images, viewer]);
  } catch (error) {
    viewer.then(
      (opened) => opened.dispose(),
      () => {}, // nothing to dispose of
    );
    throw error;
  }
}
