import { expect, it } from "vitest";
import { changeOf, headlineOf, percentOf } from "./headline";
import { isSame, recordInModelUnits, withFeature } from "./record";

it("speaks of the favourable outcome where the task has one, and of the disease where not", () => {
  expect(headlineOf({ favourable: 0.71, probabilities: { gos_4: 0.4, gos_5: 0.31 } }).value).toBe(0.71);
  expect(headlineOf({ favourable: null, probabilities: { ad: 0.3, cn: 0.7 } }).value).toBe(0.3);
  expect(headlineOf({ favourable: null, probabilities: { none: 0.9, severe: 0.1 } }).value).toBe(0.1);
});

it("gives a change its sign, and none to what rounds to nothing", () => {
  expect(changeOf(0.5, 0.623)).toBe("+12.3");
  expect(changeOf(0.5, 0.4)).toBe("−10.0");
  expect(changeOf(0.5, 0.5004)).toBeNull();
  expect(percentOf(0.7123)).toBe("71.2 %");
});

it("gives no probability as a certainty", () => {
  expect([0, 0.0004, 0.0005, 0.9994, 0.9996, 1].map(percentOf)).toEqual([
    "< 0.1 %",
    "< 0.1 %",
    "0.1 %",
    "99.9 %",
    "> 99.9 %",
    "> 99.9 %",
  ]);
});

it("begins with the record in the model's units, without what was missing", () => {
  const features = [
    { name: "glucose", value: 6.99, unit: "mmol/L", status: "converted" as const },
    { name: "inr", value: null, unit: "{INR}", status: "missing" as const },
  ];
  expect(recordInModelUnits({ image_share: 0.5, features })).toEqual({ glucose: 6.99 });
});

it("knows a record as unchanged once every feature is back", () => {
  const start = { age: 71, sex: "female" };
  const changed = withFeature(withFeature(start, "age", 40), "inr", 1.1);
  expect(isSame(start, changed)).toBe(false);
  expect(isSame(start, withFeature(withFeature(changed, "inr", undefined), "age", 71))).toBe(true);
});
