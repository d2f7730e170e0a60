import { type RefObject, useCallback, useEffect, useState } from "react";
import { type Action, actionOf } from "./keys";
import type { Open } from "./useViewer";
import { FIRST_OVERLAY, type Layout, type Overlay } from "./viewer";
import type { Window } from "./windows";

/** What the viewer was told last, and how to tell it something else. */
export type ViewerControls = {
  layout: Layout;
  overlay: Overlay;
  window: Window;
  helpShown: boolean;
  act: (action: Action) => void;
  setOverlay: (overlay: Overlay) => void;
  closeHelp: () => void;
};

const NO_WINDOW: Window = { low: 0, high: 1 };

/**
 * The viewer's state for its controls, by buttons and by keys.
 *
 * Keys act while something in `frame` has the focus, and nowhere else (WCAG 2.1.4).
 */
export function useControls(open: Open | null, frame: RefObject<HTMLElement | null>): ViewerControls {
  const [layout, setLayout] = useState<Layout>("planes");
  const [overlay, setOverlay] = useState(FIRST_OVERLAY);
  const [window, setWindow] = useState<Window>(NO_WINDOW);
  const [helpShown, setHelpShown] = useState(false);

  useEffect(() => {
    const [first] = open?.presets.values() ?? [];
    setWindow(first ?? NO_WINDOW);
    setLayout("planes");
    setOverlay(FIRST_OVERLAY);
    return open?.viewer.onWindow(setWindow);
  }, [open]);

  const act = useCallback(
    (action: Action) => {
      if (open === null) return;
      switch (action.do) {
        case "layout":
          return setLayout(action.layout);
        case "overlay":
          return setOverlay((before) => ({ ...before, visible: !before.visible }));
        case "window": {
          const chosen = open.presets.get(action.preset) ?? NO_WINDOW;
          open.viewer.setWindow(chosen);
          return setWindow(chosen);
        }
        case "help":
          return setHelpShown(true);
        default:
          return move(open, action);
      }
    },
    [open],
  );

  useEffect(() => open?.viewer.setLayout(layout), [open, layout]);
  useEffect(() => open?.viewer.setOverlay(overlay), [open, overlay]);
  useKeys(frame, open, layout, act);

  const closeHelp = useCallback(() => setHelpShown(false), []);
  return { layout, overlay, window, helpShown, act, setOverlay, closeHelp };
}

/** Actions that only the viewer remembers. */
function move({ viewer, peak }: Open, action: Action): void {
  if (action.do === "step") viewer.step(action.plane, action.slices);
  if (action.do === "turn") viewer.turn(action.azimuth, action.elevation);
  if (action.do === "zoom") viewer.zoom(action.factor);
  if (action.do === "reset") viewer.resetView();
  if (action.do === "peak" && peak) viewer.moveTo(peak.place);
}

function useKeys(
  frame: RefObject<HTMLElement | null>,
  open: Open | null,
  layout: Layout,
  act: (action: Action) => void,
): void {
  useEffect(() => {
    const element = frame.current;
    if (element === null || open === null) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || hasKeysOfItsOwn(event)) return;
      const action = actionOf(event, layout, [...open.presets.keys()]);
      if (action === null) return;
      event.preventDefault();
      act(action);
    };
    element.addEventListener("keydown", pressed);
    return () => element.removeEventListener("keydown", pressed);
  }, [frame, open, layout, act]);
}

/** Sliders and lists use the arrows and letters themselves. */
function hasKeysOfItsOwn({ target }: KeyboardEvent): boolean {
  return target instanceof HTMLElement && target.closest("input, select, dialog") !== null;
}
