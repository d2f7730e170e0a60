import { useEffect, useState } from "react";
import { texts } from "../texts/en";
import { placeWords } from "./places";
import type { Open } from "./useViewer";
import type { Reading } from "./viewer";
import { greyWords } from "./windows";

/** Where the crosshair is and what lies under it. */
export function ReadingLine({ open, modality }: { open: Open; modality: string }) {
  const [reading, setReading] = useState<Reading | null>(null);
  useEffect(() => {
    const stop = open.viewer.onMove(setReading);
    // The viewer moved before anybody listened.
    if (open.peak) open.viewer.moveTo(open.peak.place);
    else open.viewer.step("axial", 0);
    return stop;
  }, [open]);
  const t = texts.viewer.reading;
  const [first = { low: 0, high: 1 }] = open.presets.values();
  return (
    <dl className="viewer-reading">
      <Item term={t.place}>{reading && placeWords(reading.place)}</Item>
      <Item term={modality === "CT" ? t.density : t.intensity}>
        {reading &&
          (modality === "CT" ? t.hu(Math.round(reading.intensity)) : greyWords(reading.intensity, first))}
      </Item>
      {open.hasHeatmap && <Item term={t.attention}>{reading?.attention?.toFixed(2)}</Item>}
      {open.peak && <Item term={t.peak}>{placeWords(open.peak.place)}</Item>}
    </dl>
  );
}

function Item({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children ?? "–"}</dd>
    </div>
  );
}
