import { useEffect, useState } from "react";
import { isAbort } from "../api/problem";
import type { Place } from "../viewer/nifti";
import { type Open, openViewer, type Source } from "../viewer/useViewer";
import type { Plane } from "../viewer/viewer";
import type { Window } from "../viewer/windows";

export const PLANES: readonly Plane[] = ["axial", "coronal", "sagittal"];

/** One plane each, as object URLs. */
export type Pictures = {
  urls: Record<Plane, string>;
  place: Place | null;
  window: Window;
  hasHeatmap: boolean;
};

export type Taking =
  | { state: "taking" }
  | { state: "taken"; pictures: Pictures }
  | { state: "failed"; error: unknown };

/** Small enough for the letters of orientation to be read on paper. */
const SIDE_PIXELS = 400;

/** Draws a case out of sight, takes a picture of each plane through the heatmap's peak, and closes the viewer again. */
export function usePictures({ image, heatmap, modality }: Source): Taking {
  const [taking, setTaking] = useState<Taking>({ state: "taking" });
  useEffect(() => {
    const aborter = new AbortController();
    const taken = take({ image, heatmap, modality }, aborter.signal);
    setTaking({ state: "taking" });
    taken.then(
      (pictures) => !aborter.signal.aborted && setTaking({ state: "taken", pictures }),
      (error: unknown) => !isAbort(error) && !aborter.signal.aborted && setTaking({ state: "failed", error }),
    );
    return () => {
      aborter.abort();
      taken.then(
        ({ urls }) => Object.values(urls).forEach(URL.revokeObjectURL),
        () => {}, // none were taken
      );
    };
  }, [image, heatmap, modality]);
  return taking;
}

async function take(source: Source, signal: AbortSignal): Promise<Pictures> {
  const host = document.createElement("div");
  host.className = "report-darkroom";
  host.ariaHidden = "true";
  host.inert = true;
  host.style.width = `${SIDE_PIXELS}px`;
  host.style.height = `${SIDE_PIXELS}px`;
  document.body.append(host);
  try {
    const open = await openViewer(host, source, signal);
    try {
      return await picturesOf(open);
    } finally {
      open.viewer.dispose();
    }
  } finally {
    host.remove();
  }
}

async function picturesOf({ viewer, peak, presets, hasHeatmap }: Open): Promise<Pictures> {
  const urls: Partial<Record<Plane, string>> = {};
  for (const plane of PLANES) {
    urls[plane] = URL.createObjectURL(await viewer.picture(plane, peak?.place ?? null));
  }
  const [window = { low: 0, high: 1 }] = presets.values();
  return { urls: urls as Record<Plane, string>, place: peak?.place ?? null, window, hasHeatmap };
}
