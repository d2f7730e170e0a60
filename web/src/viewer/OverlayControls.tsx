import { useId } from "react";
import { texts } from "../texts/en";
import type { Action } from "./keys";
import { COLOUR_MAPS, type ColourMap, type Overlay } from "./viewer";

type Props = {
  overlay: Overlay;
  onChange: (overlay: Overlay) => void;
  act: (action: Action) => void;
  hasPeak: boolean;
};

/** Heatmap on or off, how strong, from which value on, in which colours, and where it is highest. */
export function OverlayControls({ overlay, onChange, act, hasPeak }: Props) {
  const t = texts.viewer.overlay;
  const map = useId();
  return (
    <fieldset className="viewer-group viewer-overlay">
      <legend>{t.title}</legend>
      <button
        type="button"
        aria-pressed={overlay.visible}
        aria-keyshortcuts="h"
        onClick={() => act({ do: "overlay" })}
      >
        {t.toggle}
      </button>
      <button type="button" aria-keyshortcuts="p" disabled={!hasPeak} onClick={() => act({ do: "peak" })}>
        {t.peak}
      </button>
      <Share
        label={t.opacity}
        value={overlay.opacity}
        onChange={(opacity) => onChange({ ...overlay, opacity })}
      />
      <Share
        label={t.threshold}
        value={overlay.threshold}
        onChange={(threshold) => onChange({ ...overlay, threshold })}
      />
      <span className="viewer-share">
        <label htmlFor={map}>{t.colours}</label>
        <select
          id={map}
          value={overlay.colourMap}
          onChange={(event) => onChange({ ...overlay, colourMap: event.target.value as ColourMap })}
        >
          {COLOUR_MAPS.map((name) => (
            <option key={name} value={name}>
              {t.maps[name]}
            </option>
          ))}
        </select>
      </span>
      <Ramp colourMap={overlay.colourMap} />
      <p className="viewer-meaning small quiet">{t.meaning}</p>
    </fieldset>
  );
}

/** Which colour stands for which value. */
export function Ramp({ colourMap }: Pick<Overlay, "colourMap">) {
  return (
    <span className="viewer-bar">
      0{" "}
      <span className="viewer-ramp" data-map={colourMap} role="img" aria-label={texts.viewer.overlay.ramp} />{" "}
      1
    </span>
  );
}

function Share({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number;
  onChange: (value: number) => void;
}) {
  const id = useId();
  const words = `${Math.round(value * 100)} %`;
  return (
    <span className="viewer-share">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={1}
        step={0.05}
        value={value}
        aria-valuetext={words}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
      <output htmlFor={id} aria-live="off">
        {words}
      </output>
    </span>
  );
}
