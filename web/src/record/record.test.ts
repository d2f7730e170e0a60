import { expect, it } from "vitest";
import { featuresOf, type RecordSchema, rangeWords, stepOf } from "./features";
import { partOf, problemsOf, recordOf, typedValue, withPart } from "./record";

const number = (title: string, unit: string, minimum: number, maximum: number, units: string[]) => ({
  title,
  "x-unit": unit,
  anyOf: [
    { type: "number", minimum, maximum },
    {
      type: "object",
      properties: { value: { type: ["number", "null"] }, unit: { enum: units } },
      required: ["value", "unit"],
      additionalProperties: false,
    },
    { type: "null" },
  ],
});

/** The form of `GET /models/{name}/ehr-schema`. */
const SCHEMA: RecordSchema = {
  type: "object",
  properties: {
    age: number("Age", "a", 18, 110, ["a", "mo", "d"]),
    gcs: number("Glasgow Coma Scale, total", "{score}", 3, 15, ["{score}", "1"]),
    glucose: number("Glucose", "mmol/L", 1, 60, ["mmol/L", "mg/dL", "pg/mL"]),
    sex: {
      title: "Sex",
      "x-unit": null,
      anyOf: [{ type: "string", enum: ["female", "male"] }, { type: "null" }],
    },
  },
  required: [],
  minProperties: 0,
  additionalProperties: false,
};

it("reads the features in the schema's order, with kind, unit and plausible range", () => {
  const [age, gcs, glucose, sex] = featuresOf(SCHEMA);
  expect(age).toMatchObject({ name: "age", kind: "number", unit: "a", low: 18, high: 110 });
  expect(gcs).toMatchObject({ kind: "number", low: 3, high: 15 });
  expect(glucose).toMatchObject({ unit: "mmol/L" });
  expect(sex).toMatchObject({ kind: "category", categories: ["female", "male"] });
});

it("offers the other unit that clinicians use, and no exotic one", () => {
  const units = featuresOf(SCHEMA).map((feature) => (feature.kind === "number" ? feature.units : []));
  expect(units).toEqual([["a"], ["{score}"], ["mmol/L", "mg/dL"], []]);
});

it("says ranges in words and moves scores by whole points", () => {
  const [age, gcs] = featuresOf(SCHEMA);
  if (age?.kind !== "number" || gcs?.kind !== "number") throw new Error("not numbers");
  expect(rangeWords(age)).toBe("18–110 years");
  expect(stepOf(gcs)).toBe(1);
});

it.each([
  ["71", "a", 71],
  [" 7.5 ", "a", 7.5],
  ["7,5", "a", 7.5],
  ["", "a", undefined],
  ["abc", "a", "abc"],
  ["126", "mg/dL", { value: 126, unit: "mg/dL" }],
])("reads %j in %s as it is meant", (text, unit, value) => {
  expect(typedValue(text, unit, "a")).toEqual(value);
});

it("leaves what is unknown out of the record", () => {
  expect(recordOf({ age: 71, gcs: undefined, sex: null as never, glucose: 0 })).toEqual({
    age: 71,
    glucose: 0,
  });
});

it("sends of what was filled in only what the package asks, and keeps what another one asked", () => {
  const filled = { age: 71, education_years: 12, gcs: undefined };
  expect(recordOf(partOf(filled, SCHEMA))).toEqual({ age: 71 });
  const changed = withPart(filled, SCHEMA, { age: undefined, sex: "male" });
  expect(recordOf(changed)).toEqual({ education_years: 12, sex: "male" });
});

it("finds nothing wrong with an empty record or one in other units", () => {
  expect(problemsOf({}, SCHEMA).size).toBe(0);
  expect(problemsOf({ age: 71, sex: "female", glucose: { value: 126, unit: "mg/dL" } }, SCHEMA).size).toBe(0);
});

it("says in words what is wrong with each field", () => {
  const problems = problemsOf({ age: 200, gcs: "low", sex: "x" }, SCHEMA);
  expect(problems.get("age")).toContain("18–110 years");
  expect(problems.get("gcs")).toContain("number");
  expect(problems.get("sex")).toContain("list");
});

it.each([
  [13, undefined],
  [13.5, "whole"],
  [2.5, "whole"],
  [16, "3–15"],
])("tells a part of a whole number from one that lies outside: %j", (gcs, words) => {
  const property = SCHEMA.properties?.gcs;
  const [bare, ...others] = property?.anyOf ?? [];
  const whole = { ...property, anyOf: [{ ...bare, multipleOf: 1 }, ...others] };
  const problem = problemsOf({ gcs }, { ...SCHEMA, properties: { ...SCHEMA.properties, gcs: whole } }).get(
    "gcs",
  );
  if (words === undefined) expect(problem).toBeUndefined();
  else expect(problem).toContain(words);
});

it("asks for what a package requires, and for as many fields as it needs", () => {
  const strict = { ...SCHEMA, required: ["age"], minProperties: 2 };
  const problems = problemsOf({ gcs: 9 }, strict);
  expect(problems.get("age")).toBeTruthy();
  expect(problems.get("")).toContain("2");
});
