import { expect, it } from "vitest";
import { isShaded, limitsOf } from "./limits";

it.each([
  [[null, null, null], { low: null, high: null }, false],
  [[null, 3.71, 3.71], { low: null, high: 3.71 }, true],
  [[1.5, null, 3.71], { low: 1.5, high: 3.71 }, true],
  [["missing" as const, "missing" as const, "missing" as const], { low: null, high: null }, false],
])("finds of values taken as %j where the numbers end that are told apart", (taken_as, limits, shaded) => {
  expect(limitsOf({ values: [0.5, 10, 20], taken_as })).toEqual(limits);
  expect(isShaded(limits)).toBe(shaded);
});
