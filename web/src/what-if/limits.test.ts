import { expect, it } from "vitest";
import { limitsOf } from "./limits";

it.each([
  [[null, null, null], { low: null, high: null }],
  [[null, 3.71, 3.71], { low: null, high: 3.71 }],
  [[1.5, null, 3.71], { low: 1.5, high: 3.71 }],
  [["missing" as const, "missing" as const, "missing" as const], { low: null, high: null }],
])("finds of values taken as %j where the numbers end that are told apart", (taken_as, limits) => {
  expect(limitsOf({ values: [0.5, 10, 20], taken_as })).toEqual(limits);
});
