import { expect, it } from "vitest";
import { type Entered, isLeftOf } from "./useEntered";

const NOBODY: Entered = { record: {}, reference: "" };
const before: Entered = {
  record: { age: 71, glucose: { value: 126, unit: "mg/dL" }, sex: undefined },
  reference: "A-1",
};

it("finds what is left of what was entered earlier, a value or the case number", () => {
  expect(isLeftOf(before, before)).toBe(true);
  expect(isLeftOf(before, { record: { age: 35 }, reference: "A-1" })).toBe(true);
  expect(isLeftOf(before, { record: { glucose: { value: 126, unit: "mg/dL" } }, reference: "" })).toBe(true);
});

it("finds nothing left once all of it is gone or another", () => {
  expect(isLeftOf(before, NOBODY)).toBe(false);
  expect(isLeftOf(before, { record: { age: 35, gcs: 9 }, reference: "B-2" })).toBe(false);
  expect(isLeftOf(NOBODY, { record: { age: 35 }, reference: "" })).toBe(false);
});
