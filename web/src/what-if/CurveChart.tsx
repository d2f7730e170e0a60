import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { useTheme } from "../app/theme";
import { numberWords } from "../record/features";
import { percentWords } from "../result/frequencies";
import { texts } from "../texts/en";
import type { Limits } from "./limits";
import "uplot/dist/uPlot.min.css";

const HEIGHT = 240;

type Props = {
  places: number[];
  heights: number[];
  /** Names of the places of a category; null for a number. */
  names: string[] | null;
  /** Height with the feature missing. */
  missing: number;
  /** Beyond them the line is shaded. */
  limits: Limits;
  /** Where the record is now. */
  here: number | null;
  /** What lies along: the feature with its unit. */
  axis: string;
  /** The feature's name, for the legend. */
  title: string;
  /** A place in words. */
  wordsOf: (place: number) => string;
};

/** A line over a number, points over categories; dashed, the height with the feature unknown. */
export default function CurveChart(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const { places, heights, missing, here, names, axis } = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const data = useMemo<uPlot.AlignedData>(
    () => [places, heights, places.map(() => missing)],
    [places, heights, missing],
  );
  const drawn = useRef<uPlot>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another feature has other axes, another theme other colours; new heights go into the plot that is there
  useEffect(() => {
    const target = place.current;
    if (!target) return;
    const plot = new uPlot(optionsOf(latest, target.clientWidth, setPointed), data, target);
    drawn.current = plot;
    const watcher = new ResizeObserver(() => plot.setSize({ width: target.clientWidth, height: HEIGHT }));
    watcher.observe(target);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [axis, names === null, theme]);
  // A plot made anew would forget the pointer, and what stands under it would be told no more.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the place of the record is drawn by a hook of the plot
  useEffect(() => drawn.current?.setData(data), [data, here]);
  return (
    <>
      <Legend {...props} pointed={pointed} />
      <div ref={place} className="chart" aria-hidden="true" />
    </>
  );
}

const wordsOfShare = (value: number) => percentWords(Math.round(100 * value));
/** Of the axis, where 0 and 100 are ends and no probabilities. */
const percent = (value: number) => `${Math.round(100 * value)} %`;

/** The lines in words; of the place under the pointer, the height too. */
function Legend({ pointed, ...props }: Props & { pointed: number | null }) {
  const { places, heights, names, missing, here, title, wordsOf } = props;
  const place = pointed === null ? undefined : places[pointed];
  const { legend } = texts.whatIf;
  return (
    <ul className="chart-legend quiet small" aria-hidden="true">
      <li className={names ? "legend-points" : undefined}>
        {place === undefined
          ? legend.curve
          : legend.at(wordsOf(place), wordsOfShare(heights[pointed ?? 0] ?? 0))}
      </li>
      <li className="legend-missing">{legend.missing(title, wordsOfShare(missing))}</li>
      {here !== null && <li className="legend-here">{legend.here}</li>}
    </ul>
  );
}

/** @param latest read at every drawing, as the plot outlives the curve that it was made for */
function optionsOf(
  latest: RefObject<Props>,
  width: number,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--text-quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const { names, axis: axisWords } = latest.current;
  const ends = () => {
    const { places } = latest.current;
    return names ? [-0.5, places.length - 0.5] : [places[0] ?? 0, places.at(-1) ?? 1];
  };
  return {
    width,
    height: HEIGHT,
    cursor: { y: false, points: { size: 7 } },
    legend: { show: false },
    scales: {
      x: { time: false, range: () => ends() as [number, number] },
      y: { range: [0, 1] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        label: axisWords,
        labelSize: 20,
        labelGap: 0,
        labelFont: `13px ${getComputedStyle(document.body).fontFamily}`,
        ...(names
          ? {
              splits: () => latest.current.places,
              values: (_plot, at) => at.map((index) => names[index] ?? ""),
            }
          : { values: (_plot, at) => at.map(numberWords) }), // uPlot's own are the browser's: 1.000 is 1000 to some
      },
      { ...axis, size: 54, values: (_plot, at) => at.map(percent) },
    ],
    series: [
      {},
      {
        stroke: colour("--accent"),
        width: names ? 0 : 2,
        points: { show: names !== null, size: 10, fill: colour("--accent") },
      },
      {
        stroke: colour("--text-quiet"),
        width: 1,
        dash: [5, 5],
        points: { show: false },
      },
    ],
    hooks: {
      drawClear: [(plot) => shadeBeyond(plot, latest.current.limits, colour("--line"))],
      draw: [(plot) => markHere(plot, latest.current.here, colour("--caution"))],
      setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)],
    },
  };
}

/** Behind the line, where its values lie beyond what training held. */
function shadeBeyond(plot: uPlot, { low, high }: Limits, colour: string) {
  const { ctx, bbox } = plot;
  const shade = (from: number, to: number) => ctx.fillRect(from, bbox.top, to - from, bbox.height);
  ctx.save();
  ctx.fillStyle = colour;
  if (low !== null) shade(bbox.left, plot.valToPos(low, "x", true));
  if (high !== null) shade(plot.valToPos(high, "x", true), bbox.left + bbox.width);
  ctx.restore();
}

/** A line where the record is now. */
function markHere(plot: uPlot, here: number | null, colour: string) {
  if (here === null) return;
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(here, "x", true));
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}
