import { describe, expect, it } from "vitest";
import type { Place } from "../viewer/nifti";
import type { Reading, Viewer } from "../viewer/viewer";
import { link } from "./link";

/** A viewer's crosshair without its picture; like the real one it tells every move, whoever made it. */
function crosshair(roundMm: number) {
  const listeners = new Set<(reading: Reading) => void>();
  const at = { place: [0, 0, 0] as Place, moves: 0 };
  const moveTo = (place: Place) => {
    const [x, y, z] = place.map((mm) => Math.round(mm / roundMm) * roundMm);
    at.place = [x ?? 0, y ?? 0, z ?? 0];
    at.moves += 1;
    for (const listener of listeners) listener({ place: at.place, intensity: 0, attention: null });
  };
  const onMove = (listener: (reading: Reading) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return { at, viewer: { moveTo, onMove } as unknown as Viewer };
}

describe("linked crosshairs", () => {
  it("go to the same place of the scanner, whichever is moved", () => {
    const [left, right] = [crosshair(0.001), crosshair(0.001)];
    link(left.viewer, right.viewer);
    left.viewer.moveTo([10, -20, 30]);
    expect(right.at.place).toEqual([10, -20, 30]);
    right.viewer.moveTo([1, 2, 3]);
    expect(left.at.place).toEqual([1, 2, 3]);
  });

  it("do not answer each other's echo, also where a viewer rounds to its voxels", () => {
    const [left, right] = [crosshair(0.001), crosshair(5)];
    link(left.viewer, right.viewer);
    left.viewer.moveTo([7, 7, 7]);
    expect(left.at.moves).toBe(1);
    expect(right.at.moves).toBe(1);
    expect(left.at.place).toEqual([7, 7, 7]);
  });

  it("part again", () => {
    const [left, right] = [crosshair(0.001), crosshair(0.001)];
    const part = link(left.viewer, right.viewer);
    part();
    left.viewer.moveTo([10, 0, 0]);
    expect(right.at.moves).toBe(0);
  });
});
