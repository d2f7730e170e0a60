import type { Page } from "playwright-core";
import { forEachPixel, type Picture, parsePng, type Rgb } from "./png";

/** What the viewer's canvas shows now. */
export async function canvasPicture(page: Page, index = 0): Promise<Picture> {
  const canvas = page.locator(".viewer-host canvas").nth(index);
  return parsePng(await canvas.screenshot({ timeout: 120_000 }));
}

const isGrey = ([r, g, b]: Rgb) => Math.max(r, g, b) - Math.min(r, g, b) < 12 && r > 40;
/** Inferno's middle: red or orange or yellow, never the crosshair's light blue. */
const isWarm = ([r, , b]: Rgb) => r - b > 40;
const isCrosshair = ([r, g, b]: Rgb) => b - r > 50 && g - r > 25;

export type Shares = { grey: number; warm: number };

/** How much of a picture is head and how much is heatmap. */
export function sharesOf(picture: Picture): Shares {
  const count = { grey: 0, warm: 0 };
  forEachPixel(picture, (rgb) => {
    count.grey += Number(isGrey(rgb));
    count.warm += Number(isWarm(rgb));
  });
  const pixels = picture.width * picture.height;
  return { grey: count.grey / pixels, warm: count.warm / pixels };
}

export type Spot = { x: number; y: number };

/** The focus ring lies on the rim of the canvas and has the crosshair's colour. */
const RIM = 6;

/** Where the two lines of the crosshair meet, in a picture of one plane. */
export function crossing(picture: Picture): Spot {
  const columns = new Uint32Array(picture.width);
  const rows = new Uint32Array(picture.height);
  forEachPixel(picture, (rgb, x, y) => {
    if (!isCrosshair(rgb) || isRim(picture, x, y)) return;
    columns[x] = (columns[x] ?? 0) + 1;
    rows[y] = (rows[y] ?? 0) + 1;
  });
  return { x: columns.indexOf(Math.max(...columns)), y: rows.indexOf(Math.max(...rows)) };
}

function isRim({ width, height }: Picture, x: number, y: number): boolean {
  return Math.min(x, y, width - 1 - x, height - 1 - y) < RIM;
}

/** Bright pixels of some columns, counted from the right, at half height: where a letter says which side that is. */
export function brightAtRight(picture: Picture, from: number, to: number): number {
  let bright = 0;
  forEachPixel(picture, (rgb, x, y) => {
    const column = picture.width - x;
    const isThere = column >= from && column <= to && Math.abs(y - picture.height / 2) < 20;
    bright += Number(isThere && Math.min(...rgb) > 120);
  });
  return bright;
}

/** Pixels that differ between two pictures of the same plane. */
export function changes(before: Picture, after: Picture): Spot[] {
  const sums: number[] = [];
  forEachPixel(before, ([r, g, b]) => sums.push(r + g + b));
  const spots: Spot[] = [];
  forEachPixel(after, ([r, g, b], x, y) => {
    const change = Math.abs(r + g + b - (sums[y * after.width + x] ?? 0));
    if (change > 24 && !isRim(after, x, y)) spots.push({ x, y });
  });
  return spots;
}

/** Pixels from a place to the nearest of others. */
export function nearest(from: Spot, others: readonly Spot[]): number {
  return Math.min(...others.map(({ x, y }) => Math.hypot(x - from.x, y - from.y)));
}
