import { describe, expect, it } from "vitest";
import { countsOf100, outOf100, percentWords } from "./frequencies";

describe("natural frequencies", () => {
  it("round to whole patients", () => {
    expect(outOf100(0.7346)).toEqual({ kind: "about", of100: 73 });
    expect(outOf100(0.5)).toEqual({ kind: "about", of100: 50 });
  });

  it("never say nobody or everybody", () => {
    expect(outOf100(0)).toEqual({ kind: "fewer-than", of100: 1 });
    expect(outOf100(0.0049)).toEqual({ kind: "fewer-than", of100: 1 });
    expect(outOf100(0.005)).toEqual({ kind: "about", of100: 1 });
    expect(outOf100(0.9949)).toEqual({ kind: "about", of100: 99 });
    expect(outOf100(0.995)).toEqual({ kind: "more-than", of100: 99 });
    expect(outOf100(1)).toEqual({ kind: "more-than", of100: 99 });
  });
});

describe("counts of 100", () => {
  it("add up to 100, those of the event to its own figure, each within one of its share", () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    for (let trial = 0; trial < 500; trial++) {
      const raw = Array.from({ length: 2 + (trial % 5) }, random);
      const total = raw.reduce((sum, value) => sum + value, 0);
      const probabilities = raw.map((value) => value / total);
      const isEvent = probabilities.map((_, index) => index >= trial % 3);
      const sumOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
      const event = sumOf(probabilities.filter((_, index) => isEvent[index]));
      const counts = countsOf100(probabilities, isEvent, event);
      expect(sumOf(counts)).toBe(100);
      expect(sumOf(counts.filter((_, index) => isEvent[index]))).toBe(Math.round(100 * event));
      counts.forEach((count, index) => {
        expect(Math.abs(count - 100 * (probabilities[index] ?? 0))).toBeLessThan(1);
      });
    }
  });

  it("give what is left to the largest remainders", () => {
    expect(countsOf100([1 / 3, 1 / 3, 1 / 3], [false, false, false], 0)).toEqual([34, 33, 33]);
  });

  it("agree with the figure above them", () => {
    const isFavourable = [false, false, false, true, true];
    // 29.78 + 43.68 = 73.46, which is said to be 73: not 30 + 44.
    expect(countsOf100([0.0815, 0.0205, 0.1634, 0.2978, 0.4368], isFavourable, 0.7346)).toEqual([
      8, 2, 17, 30, 43,
    ]);
  });
});

it("writes a percentage that is no certainty", () => {
  expect([0, 1, 50, 99, 100].map(percentWords)).toEqual(["< 1 %", "1 %", "50 %", "99 %", "> 99 %"]);
});
