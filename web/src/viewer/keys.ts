import { LAYOUTS, type Layout, type Plane } from "./viewer";
import type { Preset } from "./windows";

/** What a key or a button asks of the viewer. */
export type Action =
  | { do: "layout"; layout: Layout }
  | { do: "step"; plane: Plane; slices: number }
  | { do: "turn"; azimuth: number; elevation: number }
  | { do: "window"; preset: Preset }
  | { do: "zoom"; factor: number }
  | { do: "overlay" | "peak" | "reset" | "help" };

export type Press = { key: string; shiftKey: boolean };

export const ZOOM_STEP = 1.25;
export const PAGE = 5;
export const TURN_DEGREES = 10;

const PRESET_KEYS: Readonly<Record<string, Preset>> = {
  b: "brain",
  s: "subdural",
  o: "bone",
  a: "automatic",
};

const SIMPLE: Readonly<Record<string, Action>> = {
  h: { do: "overlay" },
  p: { do: "peak" },
  "0": { do: "reset" },
  "+": { do: "zoom", factor: ZOOM_STEP },
  "=": { do: "zoom", factor: ZOOM_STEP },
  "-": { do: "zoom", factor: 1 / ZOOM_STEP },
  "?": { do: "help" },
};

/** The action of a key, or null where the key means nothing here. */
export function actionOf(press: Press, layout: Layout, presets: readonly Preset[]): Action | null {
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const preset = PRESET_KEYS[key];
  if (preset !== undefined) return presets.includes(preset) ? { do: "window", preset } : null;
  const chosen = LAYOUTS[Number(key) - 1];
  if (chosen !== undefined) return { do: "layout", layout: chosen };
  return SIMPLE[key] ?? (layout === "volume" ? turnOf(key) : stepOf(press, layout));
}

function turnOf(key: string): Action | null {
  const turn = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  if (turn === undefined) return null;
  const [azimuth = 0, elevation = 0] = turn.map((sign) => sign * TURN_DEGREES);
  return { do: "turn", azimuth, elevation };
}

const ALONG: Readonly<Record<string, number>> = { ArrowUp: 1, ArrowDown: -1, PageUp: PAGE, PageDown: -PAGE };
/** The right arrow goes to the right of the screen, which is the patient's left. */
const ACROSS: Readonly<Record<string, number>> = { ArrowLeft: 1, ArrowRight: -1 };

/** One plane: every arrow scrolls it. Three planes: up and down axial, with shift coronal, left and right sagittal. */
function stepOf({ key, shiftKey }: Press, layout: "planes" | Plane): Action | null {
  const along = ALONG[key];
  const across = ACROSS[key];
  if (layout !== "planes") {
    const slices = along ?? (across === undefined ? undefined : -across);
    return slices === undefined ? null : { do: "step", plane: layout, slices };
  }
  if (across !== undefined) return { do: "step", plane: "sagittal", slices: across };
  return along === undefined ? null : { do: "step", plane: shiftKey ? "coronal" : "axial", slices: along };
}
