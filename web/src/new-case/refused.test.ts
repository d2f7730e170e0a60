import { expect, it } from "vitest";
import { type Problem, ServiceError } from "../api/problem";
import { refusedFeatures } from "./refused";

const features = [
  { name: "glucose", problem: "must lie between 1 and 60 mmol/L" },
  { name: "age", problem: "must lie between 18 and 110 a" },
];
const error = new ServiceError("ehr-invalid", 422, { type: "ehr-invalid", features } as unknown as Problem);
const sent = { glucose: { value: 1.2, unit: "mg/dL" }, age: 7 };

it("says of every feature what the service said of it", () => {
  expect([...refusedFeatures({ stage: "failed", error, record: sent }, { ...sent }).keys()]).toEqual([
    "glucose",
    "age",
  ]);
});

it("says nothing more of a value that was changed, or is unknown now", () => {
  const state = { stage: "failed", error, record: sent } as const;
  const corrected = { ...sent, glucose: { value: 120, unit: "mg/dL" } };
  expect([...refusedFeatures(state, corrected).keys()]).toEqual(["age"]);
  expect([...refusedFeatures(state, { glucose: sent.glucose }).keys()]).toEqual(["glucose"]);
});

it("says nothing where no record was refused", () => {
  expect(refusedFeatures({ stage: "idle" }, sent).size).toBe(0);
  expect(refusedFeatures({ stage: "failed", error: new Error("other"), record: sent }, sent).size).toBe(0);
});
