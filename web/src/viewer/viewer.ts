/**
 * All that the page knows of its image viewer. `niivue-viewer.ts` fills it in and is the only file that knows NiiVue;
 * it comes in a chunk of its own, when the first image is shown.
 */

import { ServiceError } from "../api/problem";
import type { Nifti, Place } from "./nifti";
import type { Window } from "./windows";

export const LAYOUTS = ["planes", "axial", "coronal", "sagittal", "volume"] as const;
export type Layout = (typeof LAYOUTS)[number];
export type Plane = "axial" | "coronal" | "sagittal";

/** Perceptually uniform: equal steps of attention look like equal steps, also in grey and to colour-blind eyes. */
export const COLOUR_MAPS = ["inferno", "magma", "plasma", "viridis", "cividis"] as const;
export type ColourMap = (typeof COLOUR_MAPS)[number];

export interface Overlay {
  readonly visible: boolean;
  /** 0 to 1, the same for every value that is drawn. */
  readonly opacity: number;
  /** Values below are not drawn, 0 to 1. */
  readonly threshold: number;
  readonly colourMap: ColourMap;
}

export const FIRST_OVERLAY: Overlay = { visible: true, opacity: 0.65, threshold: 0.4, colourMap: "inferno" };

export interface Images {
  readonly image: Nifti;
  readonly heatmap: Nifti | null;
}

/** What lies under the crosshair. */
export interface Reading {
  readonly place: Place;
  /** HU for CT, the scanner's own units for MR. */
  readonly intensity: number;
  readonly attention: number | null;
}

export interface Viewer {
  show(images: Images, window: Window, overlay: Overlay): Promise<void>;
  setLayout(layout: Layout): void;
  setWindow(window: Window): void;
  setOverlay(overlay: Overlay): void;
  moveTo(place: Place): void;
  /** Through the slices of a plane; up, forward and to the patient's right are positive. */
  step(plane: Plane, slices: number): void;
  turn(azimuth: number, elevation: number): void;
  zoom(factor: number): void;
  resetView(): void;
  /** Called after every move of the crosshair, whoever moved it; gives back how to stop. */
  onMove(listener: (reading: Reading) => void): () => void;
  /** Called when the window was changed by dragging. */
  onWindow(listener: (window: Window) => void): () => void;
  /** One plane through a place, or through where the crosshair is, as PNG. */
  picture(plane: Plane, place: Place | null): Promise<Blob>;
  /** Gives the graphics memory back; the viewer cannot be used afterwards. */
  dispose(): void;
}

/**
 * @param host An element that is as large as the viewer shall be.
 * @throws {ServiceError} `part-missing` where the service no longer has the code of this page, or is not reached.
 */
export async function createViewer(host: HTMLElement): Promise<Viewer> {
  const { NiivueViewer } = await import("./niivue-viewer").catch(() => {
    throw new ServiceError("part-missing", 0);
  });
  return NiivueViewer.in(host);
}
