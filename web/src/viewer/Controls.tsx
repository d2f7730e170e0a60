import { texts } from "../texts/en";
import { type Action, TURN_DEGREES, ZOOM_STEP } from "./keys";
import { OverlayControls } from "./OverlayControls";
import type { ViewerControls } from "./useControls";
import type { Open } from "./useViewer";
import { LAYOUTS, type Layout, type Plane } from "./viewer";
import { type Window, windowWords } from "./windows";

type Act = (action: Action) => void;

/** Everything that keys can do, as buttons. */
export function Controls({ open, controls }: { open: Open; controls: ViewerControls }) {
  const { act, layout, window, overlay, setOverlay } = controls;
  return (
    <div className="viewer-controls">
      <Layouts layout={layout} act={act} />
      <Windows open={open} window={window} act={act} />
      {layout === "volume" ? <Turning act={act} /> : <Stepping layout={layout} act={act} />}
      <Zooming act={act} />
      {open.hasHeatmap && (
        <OverlayControls overlay={overlay} onChange={setOverlay} act={act} hasPeak={open.peak !== null} />
      )}
    </div>
  );
}

function Layouts({ layout, act }: { layout: Layout; act: Act }) {
  return (
    <fieldset className="viewer-group">
      <legend>{texts.viewer.view}</legend>
      {LAYOUTS.map((each, index) => (
        <button
          key={each}
          type="button"
          aria-pressed={layout === each}
          aria-keyshortcuts={String(index + 1)}
          onClick={() => act({ do: "layout", layout: each })}
        >
          {texts.viewer.layouts[each]}
        </button>
      ))}
    </fieldset>
  );
}

function Windows({ open, window, act }: { open: Open; window: Window; act: Act }) {
  return (
    <fieldset className="viewer-group">
      <legend>
        {texts.viewer.window} <span className="viewer-window">{windowWords(window)}</span>
      </legend>
      {[...open.presets].map(([preset, { low, high }]) => (
        <button
          key={preset}
          type="button"
          aria-pressed={low === window.low && high === window.high}
          onClick={() => act({ do: "window", preset })}
        >
          {texts.viewer.presets[preset]}
        </button>
      ))}
    </fieldset>
  );
}

function Stepping({ layout, act }: { layout: "planes" | Plane; act: Act }) {
  const planes: Plane[] = layout === "planes" ? ["axial", "coronal", "sagittal"] : [layout];
  return (
    <fieldset className="viewer-group">
      <legend>{texts.viewer.slices}</legend>
      {planes.map((plane) => (
        <span key={plane} className="viewer-stepper">
          <Icon
            label={texts.viewer.back[plane]}
            sign="−"
            onClick={() => act({ do: "step", plane, slices: -1 })}
          />
          <span aria-hidden="true">{texts.viewer.layouts[plane]}</span>
          <Icon
            label={texts.viewer.onward[plane]}
            sign="+"
            onClick={() => act({ do: "step", plane, slices: 1 })}
          />
        </span>
      ))}
    </fieldset>
  );
}

function Turning({ act }: { act: Act }) {
  const turn = (azimuth: number, elevation: number) => () =>
    act({ do: "turn", azimuth: azimuth * TURN_DEGREES, elevation: elevation * TURN_DEGREES });
  return (
    <fieldset className="viewer-group">
      <legend>{texts.viewer.turn}</legend>
      <Icon label={texts.viewer.turns.left} sign="←" onClick={turn(-1, 0)} />
      <Icon label={texts.viewer.turns.right} sign="→" onClick={turn(1, 0)} />
      <Icon label={texts.viewer.turns.up} sign="↑" onClick={turn(0, 1)} />
      <Icon label={texts.viewer.turns.down} sign="↓" onClick={turn(0, -1)} />
    </fieldset>
  );
}

function Zooming({ act }: { act: Act }) {
  return (
    <fieldset className="viewer-group">
      <legend>{texts.viewer.zoom}</legend>
      <Icon
        label={texts.viewer.smaller}
        sign="−"
        onClick={() => act({ do: "zoom", factor: 1 / ZOOM_STEP })}
      />
      <Icon label={texts.viewer.larger} sign="+" onClick={() => act({ do: "zoom", factor: ZOOM_STEP })} />
      <button type="button" onClick={() => act({ do: "reset" })}>
        {texts.viewer.reset}
      </button>
      <Icon label={texts.viewer.help.open} sign="?" onClick={() => act({ do: "help" })} />
    </fieldset>
  );
}

function Icon({ label, sign, onClick }: { label: string; sign: string; onClick: () => void }) {
  return (
    <button type="button" className="viewer-icon" aria-label={label} title={label} onClick={onClick}>
      {sign}
    </button>
  );
}
