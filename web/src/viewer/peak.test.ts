import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { hasShear, NotNiftiError, parseNifti, unpacked } from "./nifti";
import { niftiBytes } from "./nifti.fixture";
import { peakOf } from "./peak";
import { placeWords } from "./places";
import { greyWords, presetsOf, windowOf, windowWords } from "./windows";

/** Left-posterior-superior axes of 2, 3 and 5 mm. */
const LPS = [
  [-2, 0, 0, 100],
  [0, -3, 0, 80],
  [0, 0, 5, -20],
];
const SHAPE: [number, number, number] = [4, 5, 6];

function heatmapWith(...peaks: [number, number, number][]): ArrayBuffer {
  const voxels = new Uint8Array(4 * 5 * 6).fill(10);
  for (const [i, j, k] of peaks) voxels[i + 4 * j + 20 * k] = 250;
  return niftiBytes(SHAPE, LPS, voxels, 1 / 255);
}

describe("the heatmap's peak", () => {
  it("lies where the file's affine puts its highest voxel", () => {
    const peak = peakOf(parseNifti(heatmapWith([3, 1, 4])));
    expect(peak?.voxel).toEqual([3, 1, 4]);
    expect(peak?.place).toEqual([100 - 6, 80 - 3, -20 + 20]);
    expect(peak?.value).toBeCloseTo(250 / 255, 6);
  });

  it("is the middle one where neighbours share the highest level", () => {
    expect(peakOf(parseNifti(heatmapWith([1, 2, 3], [2, 2, 3], [3, 2, 3])))?.voxel).toEqual([2, 2, 3]);
  });

  it("does not exist where the heatmap is empty", () => {
    expect(peakOf(parseNifti(niftiBytes(SHAPE, LPS, new Uint8Array(120))))).toBeNull();
  });

  it("is found in gzip, too", async () => {
    const packed = new Uint8Array(gzipSync(new Uint8Array(heatmapWith([0, 4, 5])))).buffer;
    expect(peakOf(parseNifti(await unpacked(packed)))?.voxel).toEqual([0, 4, 5]);
    const plain = heatmapWith([0, 0, 0]);
    expect(await unpacked(plain)).toBe(plain);
  });
});

describe("a NIfTI file", () => {
  it("is refused where it is none or has no place", () => {
    expect(() => parseNifti(new ArrayBuffer(10))).toThrow(NotNiftiError);
    const placeless = heatmapWith([0, 0, 0]);
    new DataView(placeless).setInt16(254, 0, true);
    expect(() => parseNifti(placeless)).toThrow("sform");
  });

  it("shows a shear, and takes a rotation for none", () => {
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    const turned = [
      [-2, 0, 0, 0],
      [0, 3 * c, -5 * s, 0],
      [0, 3 * s, 5 * c, 0],
    ];
    const sheared = [
      [-2, 0, 0, 0],
      [0, 3, -1.5, 0],
      [0, 0, 5, 0],
    ];
    const affineOf = (rows: number[][]) => parseNifti(niftiBytes(SHAPE, rows, new Uint8Array(120))).affine;
    expect(hasShear(affineOf(turned))).toBe(false);
    expect(hasShear(affineOf(sheared))).toBe(true);
  });
});

describe("places and windows", () => {
  it("are said in the patient's directions", () => {
    expect(placeWords([-29.23, -9.36, 13.6])).toBe("L 29.2, P 9.4, S 13.6 mm");
    expect(placeWords([0, 4, -0.04])).toBe("R 0.0, A 4.0, I 0.0 mm");
  });

  it("begin with brain for CT and follow the values for MR", () => {
    expect(presetsOf("CT")).toEqual(["brain", "subdural", "bone"]);
    expect(presetsOf("MR")).toEqual(["automatic"]);
    const ramp = parseNifti(
      niftiBytes(
        [10, 10, 10],
        LPS,
        Int16Array.from({ length: 1000 }, (_, i) => i),
      ),
    );
    expect(windowOf("brain", ramp)).toEqual({ low: 0, high: 80 });
    expect(windowOf("bone", ramp)).toEqual({ low: -800, high: 2000 });
    const { low, high } = windowOf("automatic", ramp);
    expect(low).toBe(10);
    expect(high).toBeCloseTo(10 + (997 - 10) * 1.15, 3);
    expect(windowWords({ low, high })).toBe("W 1135 L 578");
  });

  it("follow the values of an MR that is scaled to small numbers, too, and tell them apart in words", () => {
    const stored = Int16Array.from({ length: 1000 }, (_, i) => i);
    const small = windowOf("automatic", parseNifti(niftiBytes([10, 10, 10], LPS, stored, 5e-5)));
    expect(small.high).toBeCloseTo(0.0005 + (0.04985 - 0.0005) * 1.15, 5);
    expect(windowWords(small)).toBe("W 0.0568 L 0.0289");
    expect(greyWords(0.0312, small)).toBe("0.0312");
    expect(greyWords(412.7, { low: 0, high: 900 })).toBe("413");
    const even = parseNifti(niftiBytes([2, 2, 2], LPS, new Int16Array(8).fill(7)));
    expect(windowOf("automatic", even)).toEqual({ low: 7, high: 8 });
  });
});
