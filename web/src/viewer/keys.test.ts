import { describe, expect, it } from "vitest";
import { actionOf } from "./keys";

const CT = ["brain", "subdural", "bone"] as const;
const press = (key: string, shiftKey = false) => ({ key, shiftKey });

describe("keys of the viewer", () => {
  it("choose layouts by number", () => {
    expect(actionOf(press("2"), "planes", CT)).toEqual({ do: "layout", layout: "axial" });
    expect(actionOf(press("5"), "planes", CT)).toEqual({ do: "layout", layout: "volume" });
    expect(actionOf(press("6"), "planes", CT)).toBeNull();
  });

  it("choose only windows that the image has", () => {
    expect(actionOf(press("b"), "planes", CT)).toEqual({ do: "window", preset: "brain" });
    expect(actionOf(press("B", true), "planes", CT)).toEqual({ do: "window", preset: "brain" });
    expect(actionOf(press("b"), "planes", ["automatic"])).toBeNull();
  });

  it("scroll the plane in sight, and in three planes the axial one", () => {
    expect(actionOf(press("ArrowUp"), "coronal", CT)).toEqual({ do: "step", plane: "coronal", slices: 1 });
    expect(actionOf(press("PageDown"), "planes", CT)).toEqual({ do: "step", plane: "axial", slices: -5 });
    expect(actionOf(press("ArrowUp", true), "planes", CT)).toEqual({
      do: "step",
      plane: "coronal",
      slices: 1,
    });
  });

  it("go right on the screen, which is the patient's left", () => {
    expect(actionOf(press("ArrowRight"), "planes", CT)).toEqual({
      do: "step",
      plane: "sagittal",
      slices: -1,
    });
  });

  it("turn the head in 3D", () => {
    expect(actionOf(press("ArrowLeft"), "volume", CT)).toEqual({ do: "turn", azimuth: -10, elevation: 0 });
    expect(actionOf(press("PageUp"), "volume", CT)).toBeNull();
  });

  it("leave everything else to the browser", () => {
    expect(actionOf(press("Tab"), "planes", CT)).toBeNull();
    expect(actionOf(press("x"), "planes", CT)).toBeNull();
    expect(actionOf(press("h"), "planes", CT)).toEqual({ do: "overlay" });
  });
});
