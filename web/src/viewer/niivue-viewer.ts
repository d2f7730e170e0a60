import { type Niivue, NVImage, SLICE_TYPE } from "@niivue/niivue";
import { texts } from "../texts/en";
import { hasShear, type Nifti, type Place } from "./nifti";
import { leaveOutGradients, newNiivue } from "./niivue-setup";
import type { Images, Layout, Overlay, Plane, Reading, Viewer } from "./viewer";
import type { Window } from "./windows";

const PLANES: Readonly<Record<Plane, SLICE_TYPE>> = {
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
};
const AXIS: Readonly<Record<Plane, 0 | 1 | 2>> = { sagittal: 0, coronal: 1, axial: 2 };
/** The axial plane large, the two others beside it, as fractions of the canvas: left, top, width, height. */
const THREE_PLANES: Niivue["customLayout"] = [
  { sliceType: SLICE_TYPE.AXIAL, position: [0, 0, 0.6, 1] },
  { sliceType: SLICE_TYPE.CORONAL, position: [0.6, 0, 0.4, 0.5] },
  { sliceType: SLICE_TYPE.SAGITTAL, position: [0.6, 0.5, 0.4, 0.5] },
];
/**
 * Colours keep their meaning when the threshold moves, and below it nothing is drawn. NiiVue 0.69 takes its own name of
 * that, 1, for the other kind, `ZERO_TO_MAX_TRANSLUCENT_BELOW_MIN` (niivue/niivue#1594).
 */
const TRANSPARENT_BELOW = 2;
const OVERLAY = 1;
/** A drag of so many pixels moves a window by its first width: values of an MR have any scale, and NiiVue's step is 2. */
const WINDOW_PIXELS = 40;

/** NiiVue as a `Viewer`; nothing of NiiVue is seen outside this file. */
export class NiivueViewer implements Viewer {
  readonly #nv: Niivue;
  readonly #canvas: HTMLCanvasElement;
  readonly #moved = new Set<(reading: Reading) => void>();
  readonly #windowed = new Set<(window: Window) => void>();
  #layout: Layout = "planes";
  #overlay: Overlay | null = null;
  #disposed = false;

  static async in(host: HTMLElement): Promise<NiivueViewer> {
    const viewer = new NiivueViewer(host);
    // As NiiVue's own, but kept once it is shown: of a canvas without a buffer browsers print black.
    viewer.#canvas.getContext("webgl2", { alpha: true, antialias: false, preserveDrawingBuffer: true });
    await viewer.#nv.attachToCanvas(viewer.#canvas, false);
    leaveOutGradients(viewer.#nv);
    return viewer;
  }

  private constructor(host: HTMLElement) {
    this.#canvas = document.createElement("canvas");
    this.#canvas.setAttribute("role", "application");
    this.#canvas.setAttribute("aria-label", texts.viewer.canvas(false));
    host.append(this.#canvas);
    this.#nv = newNiivue((factor) => this.zoom(factor));
    // NiiVue focuses at every click, and a browser scrolls to what it focuses: the page would jump under the pointer.
    this.#canvas.focus = (options) =>
      HTMLElement.prototype.focus.call(this.#canvas, { preventScroll: true, ...options });
    this.#nv.onLocationChange = () => this.#tellMove();
    this.#nv.onIntensityChange = (volume) => {
      const window = { low: volume.cal_min ?? 0, high: volume.cal_max ?? 1 };
      for (const listener of this.#windowed) listener(window);
    };
  }

  async show({ image, heatmap }: Images, window: Window, overlay: Overlay): Promise<void> {
    const base = await nvImage(image, "image.nii", "gray", window);
    const above = heatmap && (await nvImage(heatmap, "heatmap.nii", overlay.colourMap, { low: 0, high: 1 }));
    if (this.#disposed) {
      return;
    }
    this.#canvas.setAttribute("aria-label", texts.viewer.canvas(above !== null));
    // A sheared grid is only shown true to shape in world space; an even one only true to its pixels in its own.
    this.#nv.opts.isSliceMM = hasShear(image.affine);
    this.#nv.volumes = above ? [base, above] : [base];
    this.#nv.back = base;
    this.#nv.overlays = above ? [above] : [];
    this.#nv.opts.windowingGainFactor = (window.high - window.low) / WINDOW_PIXELS;
    this.#applyOverlay(overlay);
    this.#nv.updateGLVolume();
    this.setLayout(this.#layout);
    this.#tellMove();
  }

  setLayout(layout: Layout): void {
    this.#layout = layout;
    if (layout === "planes") {
      this.#nv.setSliceType(SLICE_TYPE.MULTIPLANAR);
      this.#nv.setCustomLayout(THREE_PLANES);
    } else {
      this.#nv.clearCustomLayout();
      this.#nv.setSliceType(layout === "volume" ? SLICE_TYPE.RENDER : PLANES[layout]);
    }
  }

  setWindow({ low, high }: Window): void {
    const [base] = this.#nv.volumes;
    if (base && (base.cal_min !== low || base.cal_max !== high)) {
      base.cal_min = low;
      base.cal_max = high;
      this.#redraw(0);
    }
  }

  setOverlay(overlay: Overlay): void {
    if (overlay !== this.#overlay) {
      this.#applyOverlay(overlay);
      this.#redraw(OVERLAY);
    }
  }

  moveTo(place: Place): void {
    if (this.#nv.volumes.length === 0) {
      return;
    }
    this.#nv.scene.crosshairPos = this.#nv.mm2frac([...place], 0, true);
    this.#nv.drawScene();
    this.#tellMove();
  }

  step(plane: Plane, slices: number): void {
    const by: [number, number, number] = [0, 0, 0];
    by[AXIS[plane]] = slices;
    this.#nv.moveCrosshairInVox(...by);
  }

  turn(azimuth: number, elevation: number): void {
    const { renderAzimuth, renderElevation } = this.#nv.scene;
    this.#nv.setRenderAzimuthElevation(renderAzimuth + azimuth, renderElevation + elevation);
  }

  /** The place under the crosshair stays where it is on the screen. */
  zoom(factor: number): void {
    const [x = 0, y = 0, z = 0, before = 1] = this.#nv.scene.pan2Dxyzmm;
    const after = Math.min(16, Math.max(0.5, before * factor));
    const at = this.#nv.frac2mm(this.#nv.scene.crosshairPos);
    const shift = (pan: number, axis: 0 | 1 | 2): number =>
      pan + at[axis] * (1 / after - 1 / before) * before;
    this.#nv.setPan2Dxyzmm([shift(x, 0), shift(y, 1), shift(z, 2), after]);
    if (this.#layout === "volume") {
      this.#nv.setScale(this.#nv.volScaleMultiplier * (after / before));
    }
  }

  resetView(): void {
    this.#nv.setPan2Dxyzmm([0, 0, 0, 1]);
    this.#nv.setScale(1);
  }

  onMove(listener: (reading: Reading) => void): () => void {
    this.#moved.add(listener);
    return () => this.#moved.delete(listener);
  }

  onWindow(listener: (window: Window) => void): () => void {
    this.#windowed.add(listener);
    return () => this.#windowed.delete(listener);
  }

  async picture(plane: Plane, place: Place | null): Promise<Blob> {
    const layout = this.#layout;
    this.setLayout(plane);
    if (place) this.moveTo(place);
    this.#nv.drawScene();
    // Copied before the layout goes back, which draws anew.
    const picture = onBlack(this.#canvas).convertToBlob({ type: "image/png" });
    this.setLayout(layout);
    return picture;
  }

  dispose(): void {
    this.#disposed = true;
    this.#moved.clear();
    this.#windowed.clear();
    this.#nv.cleanup();
    this.#nv.volumes = [];
    // Browsers keep about 16 contexts; one that merely loses its canvas waits for the garbage collector.
    this.#nv.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.#canvas.remove();
  }

  /** Only the layer that changed: every voxel of a layer is coloured anew. */
  #redraw(layer: number): void {
    const volume = this.#nv.volumes[layer];
    if (volume) {
      this.#nv.refreshLayers(volume, layer);
      this.#nv.drawScene();
    }
  }

  #tellMove(): void {
    const [base, above] = this.#nv.volumes;
    if (!base || this.#disposed) {
      return;
    }
    const [x = 0, y = 0, z = 0] = this.#nv.frac2mm(this.#nv.scene.crosshairPos, 0, true);
    const reading = {
      place: [x, y, z] as const,
      intensity: valueAt(base, [x, y, z]),
      attention: above ? valueAt(above, [x, y, z]) : null,
    };
    for (const listener of this.#moved) listener(reading);
  }

  #applyOverlay(overlay: Overlay): void {
    const { visible, opacity, threshold, colourMap } = overlay;
    this.#overlay = overlay;
    const above = this.#nv.volumes[OVERLAY];
    if (above) {
      above._colormap = colourMap;
      above._opacity = visible ? opacity : 0;
      above.colormapType = TRANSPARENT_BELOW;
      above.cal_min = Math.max(threshold, 1 / 255);
      above.cal_max = 1;
    }
  }
}

/** A copy as it looks on the screen: letters and edges shine through, and would be too light on white paper. */
function onBlack(canvas: HTMLCanvasElement): OffscreenCanvas {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const pen = copy.getContext("2d");
  if (pen === null) throw new Error("The browser gave no canvas for a picture.");
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, copy.width, copy.height);
  pen.drawImage(canvas, 0, 0);
  return copy;
}

async function nvImage(
  image: Nifti,
  name: string,
  colormap: string,
  { low, high }: Window,
): Promise<NVImage> {
  return NVImage.loadFromUrl({ url: image.bytes, name, colormap, cal_min: low, cal_max: high });
}

function valueAt(volume: NVImage, place: [number, number, number]): number {
  const [i = 0, j = 0, k = 0] = volume.mm2vox(place);
  return volume.getValue(i, j, k);
}
