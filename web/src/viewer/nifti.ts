/**
 * Reads the NIfTI-1 files that the service writes: one volume, one file, little-endian, an sform in millimetres.
 * Source of the byte offsets: nifti1.h (NIfTI-1.1). World coordinates are RAS+ in millimetres.
 */

/** A place in the patient, RAS+ millimetres. */
export type Place = readonly [number, number, number];

/** Rows of the voxel-to-world matrix: x, y and z in millimetres from (i, j, k, 1). */
export type Affine = readonly [Row, Row, Row];
type Row = readonly [number, number, number, number];

export type Voxels = Uint8Array | Int8Array | Int16Array | Uint16Array | Int32Array | Float32Array;

export interface Nifti {
  readonly shape: readonly [number, number, number];
  readonly affine: Affine;
  /** As stored, first axis fastest; the value is `stored * slope + intercept`. */
  readonly voxels: Voxels;
  readonly slope: number;
  readonly intercept: number;
  /** The whole file, unpacked. */
  readonly bytes: ArrayBuffer;
}

export class NotNiftiError extends Error {}

const HEADER_BYTES = 348;
const DIM = 40;
const DATATYPE = 70;
const VOX_OFFSET = 108;
const SCL_SLOPE = 112;
const SCL_INTER = 116;
const SFORM_CODE = 254;
const SROW_X = 280;

type View = (bytes: ArrayBuffer, offset: number, count: number) => Voxels;

const DATATYPES: Readonly<Record<number, View>> = {
  2: (bytes, offset, count) => new Uint8Array(bytes, offset, count),
  4: (bytes, offset, count) => new Int16Array(bytes, offset, count),
  8: (bytes, offset, count) => new Int32Array(bytes, offset, count),
  16: (bytes, offset, count) => new Float32Array(bytes, offset, count),
  256: (bytes, offset, count) => new Int8Array(bytes, offset, count),
  512: (bytes, offset, count) => new Uint16Array(bytes, offset, count),
};

/** Unpacks gzip; what is not gzip is returned as it is. */
export async function unpacked(packed: ArrayBuffer): Promise<ArrayBuffer> {
  const [first, second] = new Uint8Array(packed, 0, Math.min(2, packed.byteLength));
  if (first !== 0x1f || second !== 0x8b) {
    return packed;
  }
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** @throws NotNiftiError where the bytes are not such a file. */
export function parseNifti(bytes: ArrayBuffer): Nifti {
  const header = new DataView(bytes);
  if (bytes.byteLength < HEADER_BYTES || header.getInt32(0, true) !== HEADER_BYTES) {
    throw new NotNiftiError("Expected a little-endian NIfTI-1 file.");
  }
  if (header.getInt16(SFORM_CODE, true) <= 0) {
    throw new NotNiftiError("Expected an sform: without one the image has no place in the patient.");
  }
  const shape = [1, 2, 3].map((axis) => header.getInt16(DIM + 2 * axis, true));
  const [columns = 0, rows = 0, slices = 0] = shape;
  const view = DATATYPES[header.getInt16(DATATYPE, true)];
  if (view === undefined) {
    throw new NotNiftiError("Expected 8, 16 or 32 bit integers or 32 bit floats.");
  }
  return {
    shape: [columns, rows, slices],
    affine: [row(header, 0), row(header, 1), row(header, 2)],
    voxels: view(bytes, header.getFloat32(VOX_OFFSET, true), columns * rows * slices),
    ...scaling(header),
    bytes,
  };
}

/** Where a voxel's centre lies, in world millimetres. */
export function placeOf(affine: Affine, voxel: Place): Place {
  const at = ([a, b, c, d]: Row): number => a * voxel[0] + b * voxel[1] + c * voxel[2] + d;
  return [at(affine[0]), at(affine[1]), at(affine[2])];
}

/** Whether the axes of the grid are not at right angles, by more than rounding. */
export function hasShear(affine: Affine): boolean {
  const column = (axis: 0 | 1 | 2): number[] => affine.map((row) => row[axis]);
  const cosine = (a: number[], b: number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const pairs = [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const;
  return pairs.some(([a, b]) => Math.abs(cosine(column(a), column(b))) > 1e-3);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

function row(header: DataView, index: number): Row {
  const at = (column: number): number => header.getFloat32(SROW_X + 16 * index + 4 * column, true);
  return [at(0), at(1), at(2), at(3)];
}

/** A slope of 0 or NaN means that the stored values are the values (nifti1.h, "DATA SCALING"). */
function scaling(header: DataView): { slope: number; intercept: number } {
  const slope = header.getFloat32(SCL_SLOPE, true);
  const intercept = header.getFloat32(SCL_INTER, true);
  return Number.isFinite(slope) && slope !== 0 ? { slope, intercept } : { slope: 1, intercept: 0 };
}
