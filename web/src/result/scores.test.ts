import { describe, expect, it } from "vitest";
import { abcHalf, funcScore, ichScore, type Score, type ScoreInputs } from "./scores";

/** No point of the ICH Score. */
const MILD: ScoreInputs = {
  age: 60,
  gcs: 15,
  volumeMl: 10,
  intraventricular: false,
  location: "lobar",
  cognitiveImpairment: false,
};

const points = (score: Score) => ("points" in score ? score.points : score.missing);
const share = (score: Score) => ("share" in score ? score.share : null);

describe("the ICH Score", () => {
  it.each([
    [{ gcs: 3 }, 2],
    [{ gcs: 4 }, 2],
    [{ gcs: 5 }, 1],
    [{ gcs: 12 }, 1],
    [{ gcs: 13 }, 0],
    [{ gcs: 15 }, 0],
    [{ volumeMl: 29.9 }, 0],
    [{ volumeMl: 30 }, 1],
    [{ intraventricular: true }, 1],
    [{ location: "infratentorial" }, 1],
    [{ location: "deep" }, 0],
    [{ age: 79 }, 0],
    [{ age: 80 }, 1],
    [{ cognitiveImpairment: true }, 0],
  ] as [Partial<ScoreInputs>, number][])("gives %j %i points", (change, expected) => {
    expect(points(ichScore({ ...MILD, ...change }))).toBe(expected);
  });

  it("says the published share that died within 30 days, for 0 to 6 points", () => {
    const steps: Partial<ScoreInputs>[] = [
      {},
      { age: 80 },
      { volumeMl: 30 },
      { intraventricular: true },
      { location: "infratentorial" },
      { gcs: 5 },
      { gcs: 3 },
    ];
    let inputs = MILD;
    const shares = steps.map((step) => {
      inputs = { ...inputs, ...step };
      return share(ichScore(inputs));
    });
    expect(shares).toEqual([0, 0.13, 0.26, 0.72, 0.97, 1, 1]);
  });

  it("needs no word on cognition", () => {
    expect(points(ichScore({ ...MILD, cognitiveImpairment: null }))).toBe(0);
  });

  it.each(["age", "gcs", "volumeMl", "intraventricular", "location"] as const)(
    "is not computed where %s is unknown",
    (input) => {
      expect(ichScore({ ...MILD, [input]: null })).toEqual({ missing: [input] });
    },
  );
});

describe("the FUNC Score", () => {
  it.each([
    [{}, 11],
    [{ volumeMl: 29.9 }, 11],
    [{ volumeMl: 30 }, 9],
    [{ volumeMl: 60 }, 9],
    [{ volumeMl: 60.1 }, 7],
    [{ age: 69 }, 11],
    [{ age: 70 }, 10],
    [{ age: 79 }, 10],
    [{ age: 80 }, 9],
    [{ location: "deep" }, 10],
    [{ location: "infratentorial" }, 9],
    [{ gcs: 9 }, 11],
    [{ gcs: 8 }, 9],
    [{ cognitiveImpairment: true }, 10],
    [{ intraventricular: true }, 11],
  ] as [Partial<ScoreInputs>, number][])("gives %j %i points", (change, expected) => {
    expect(points(funcScore({ ...MILD, ...change }))).toBe(expected);
  });

  it.each([
    [{}, 11, 0.82],
    [{ age: 70 }, 10, 0.66],
    [{ age: 80 }, 9, 0.66],
    [{ age: 80, cognitiveImpairment: true }, 8, 0.42],
    [{ age: 80, gcs: 8 }, 7, 0.13],
    [{ volumeMl: 61, gcs: 8 }, 5, 0.13],
    [{ volumeMl: 61, gcs: 8, location: "deep" }, 4, 0],
  ] as [Partial<ScoreInputs>, number, number][])(
    "says the published share that was independent: %j",
    (change, expected, independent) => {
      expect(funcScore({ ...MILD, ...change })).toEqual({ points: expected, share: independent });
    },
  );

  it.each(["age", "gcs", "volumeMl", "location", "cognitiveImpairment"] as const)(
    "is not computed where %s is unknown",
    (input) => {
      expect(funcScore({ ...MILD, [input]: null })).toEqual({ missing: [input] });
    },
  );

  it("needs no word on the ventricles", () => {
    expect(points(funcScore({ ...MILD, intraventricular: null }))).toBe(11);
  });
});

describe("ABC/2", () => {
  it("is half the product of three diameters in centimetres, in millilitres", () => {
    expect(abcHalf(4, 3, 5)).toBe(30);
  });
});
