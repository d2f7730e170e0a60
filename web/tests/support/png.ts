import { inflateSync } from "node:zlib";

/** A screenshot's pixels: rows from the top, `channels` bytes each (PNG specification, 3rd edition). */
export type Picture = { width: number; height: number; channels: number; bytes: Uint8Array };

/** Reads what Chromium writes: 8 bits, RGB or RGBA, not interlaced. */
export function parsePng(file: Buffer): Picture {
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const channels = file[25] === 6 ? 4 : 3;
  const lines = inflateSync(Buffer.concat(chunks(file, "IDAT")));
  const stride = width * channels;
  const bytes = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const line = lines.subarray(y * (stride + 1), (y + 1) * (stride + 1));
    // Above the first row everything is 0.
    const above = y === 0 ? new Uint8Array(stride) : bytes.subarray((y - 1) * stride, y * stride);
    unfilter(line, above, bytes.subarray(y * stride, (y + 1) * stride), channels);
  }
  return { width, height, channels, bytes };
}

/** Fills one row from its filtered bytes, the first of which names the filter. */
function unfilter(line: Uint8Array, above: Uint8Array, row: Uint8Array, channels: number): void {
  const predicted = PREDICTED[line[0] ?? 0] ?? PREDICTED[0];
  for (let x = 0; x < row.length; x++) {
    const left = row[x - channels] ?? 0;
    row[x] = (line[x + 1] ?? 0) + predicted(left, above[x] ?? 0, above[x - channels] ?? 0);
  }
}

function chunks(file: Buffer, kind: string): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    const length = file.readUInt32BE(at);
    if (file.toString("latin1", at + 4, at + 8) === kind) found.push(file.subarray(at + 8, at + 8 + length));
  }
  return found;
}

type Predicted = (left: number, up: number, corner: number) => number;

/** By the number of the filter. */
const PREDICTED: [Predicted, ...Predicted[]] = [
  () => 0,
  (left) => left,
  (_left, up) => up,
  (left, up) => (left + up) >> 1,
  paeth,
];

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const byLeft = Math.abs(guess - left);
  const byUp = Math.abs(guess - up);
  const byCorner = Math.abs(guess - corner);
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

export type Rgb = [number, number, number];

/** Calls back with every pixel. */
export function forEachPixel(picture: Picture, see: (rgb: Rgb, x: number, y: number) => void): void {
  const { width, height, channels, bytes } = picture;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels;
      see([bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0], x, y);
    }
  }
}
