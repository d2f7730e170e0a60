import { describe, expect, it } from "vitest";
import type { Outcome } from "../api/types";
import { texts } from "../texts/en";
import type { Manifest } from "./classes";
import { effectsOf, measureOf, scaleOf } from "./contributions";

describe("contributions", () => {
  it("come strongest first, whichever way they point", () => {
    const effects = effectsOf([
      { name: "sex", effect: 0.01 },
      { name: "gcs", effect: -0.2 },
      { name: "age", effect: 0.12 },
    ]);
    expect(effects.map(({ name }) => name)).toEqual(["gcs", "age", "sex"]);
    expect(effects.map(({ direction }) => direction)).toEqual(["lowers", "raises", "raises"]);
    expect(effects.map(({ points }) => points)).toEqual([20, 12, 1]);
  });

  it("below half a point are none", () => {
    expect(effectsOf([{ name: "inr", effect: -0.0049 }])[0]?.direction).toBe("none");
    expect(effectsOf([{ name: "inr", effect: -0.005 }])[0]?.direction).toBe("lowers");
  });

  it("say what they compare with", () => {
    const { effect } = texts.result.contributions;
    expect(effect("lowers", 6, "a favourable outcome")).toBe(
      "Knowing it lowers the probability of a favourable outcome by 6 points, against not knowing it.",
    );
    expect(effect("raises", 1, "Alzheimer's disease")).toBe(
      "Knowing it raises the probability of Alzheimer's disease by 1 point, against not knowing it.",
    );
    expect(effect("none", 0, "a favourable outcome")).toBe(
      "Knowing it moves the probability of a favourable outcome by less than half a point.",
    );
  });

  it("are on a favourable outcome, else on the package's last class, by its own title", () => {
    const of = (favourable: number | null, ...labels: string[]) =>
      ({ favourable, probabilities: Object.fromEntries(labels.map((label) => [label, 0.5])) }) as Outcome;
    const classes = [
      { label: "stable", title: "Stays stable" },
      { label: "converts", title: "Conversion within three years" },
    ];
    const manifest = { outputs: { classes } } as unknown as Manifest;
    expect(measureOf(of(0.5, "gos_3", "gos_4"), null)).toBe("a favourable outcome");
    expect(measureOf(of(null, "cn", "ad"), null)).toBe("Alzheimer's disease");
    expect(measureOf(of(null, "stable", "converts"), manifest)).toBe("Conversion within three years");
  });

  it("draw ten points as a full bar where all are small", () => {
    expect(scaleOf(effectsOf([{ name: "inr", effect: 0.02 }]))).toBe(0.1);
    expect(scaleOf(effectsOf([{ name: "gcs", effect: -0.3 }]))).toBe(0.3);
    expect(scaleOf([])).toBe(0.1);
  });
});
