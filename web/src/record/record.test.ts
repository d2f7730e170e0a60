import { expect, it } from "vitest";
import { featuresOf, numberWords, type RecordSchema, rangeWords, stepOf, unitWords } from "./features";
import { partOf, problemsOf, recordOf, sentRecord, typedValue, withPart } from "./record";

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

it("offers both units of glucose, whichever of them is the model's", () => {
  const [glucose] = featuresOf({
    properties: { glucose: number("Glucose", "mg/dL", 18, 1080, ["mg/dL", "g/L", "mmol/L", "umol/L"]) },
  });
  expect(glucose).toMatchObject({ units: ["mg/dL", "mmol/L"] });
});

it("says ranges in words and moves scores by whole points", () => {
  const [age, gcs] = featuresOf(SCHEMA);
  if (age?.kind !== "number" || gcs?.kind !== "number") throw new Error("not numbers");
  expect(rangeWords(age)).toBe("18–110 years");
  const [excess] = featuresOf({ properties: { be: number("Base excess", "mmol/L", -30, 30, ["mmol/L"]) } });
  expect(excess?.kind === "number" && rangeWords(excess)).toBe("-30 to 30 mmol/L");
  expect(stepOf(gcs)).toBe(1);
});

it.each([
  [0.0001, 0.05, "ng/mL", 0.0001],
  [0, 3, "ng/mL", 0.01],
  [0, 3, "{score}", 1],
  [1, 10, "ng/mL", 0.1],
  [0.5, 20, "ng/mL", 0.1],
  [40, 320, "ng/mL", 1],
])("moves a number from %d to %d %s by %d", (low, high, unit, step) => {
  const [feature] = featuresOf({ properties: { one: number("One", unit, low, high, [unit]) } });
  if (feature?.kind !== "number") throw new Error("not a number");
  expect(stepOf(feature)).toBe(step);
});

it.each([
  [0.0004, "0.0004"],
  [9.9909, "9.991"],
  [123456.7, "123456.7"],
  [0, "0"],
])("writes %d as %s: no small number as 0", (value, words) => {
  expect(numberWords(value)).toBe(words);
});

it("writes units as clinicians do, and none after a plain ratio", () => {
  expect(["Cel", "umol/L", "10*3/uL", "1", "mmol/L"].map(unitWords)).toEqual([
    "°C",
    "µmol/L",
    "× 10³/µL",
    "",
    "mmol/L",
  ]);
});

it.each([
  ["71", "a", 71],
  [" 7.5 ", "a", 7.5],
  ["7,5", "a", 7.5],
  ["", "a", undefined],
  ["abc", "a", "abc"],
  ["0,125", "a", 0.125],
  ["1234,567", "a", 1234.567],
  ["1.2340", "a", 1.234],
  ["1.200", "a", "1.200"],
  ["1,200", "a", "1,200"],
  ["12.345.678", "a", "12.345.678"],
  ["1e3", "a", "1e3"],
  ["0x1F", "a", "0x1F"],
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

it("keeps the unit of a number that two packages measure in different ones", () => {
  const other = {
    ...SCHEMA,
    properties: { glucose: number("Glucose", "mg/dL", 18, 1080, ["mg/dL", "mmol/L"]) },
  };
  const filled = withPart({}, SCHEMA, { glucose: 50 });
  expect(partOf(filled, SCHEMA)).toEqual({ glucose: 50 });
  expect(partOf(filled, other)).toEqual({ glucose: { value: 50, unit: "mmol/L" } });
  expect(partOf(withPart(filled, other, { glucose: 900 }), SCHEMA)).toEqual({
    glucose: { value: 900, unit: "mg/dL" },
  });
});

it("sends every number with its unit, as another version than the form's may answer, and measure in another", () => {
  const part = { age: 71, gcs: 9, glucose: { value: 126, unit: "mg/dL" }, sex: "male" };
  expect(sentRecord(part, SCHEMA)).toEqual({ ...part, age: { value: 71, unit: "a" } });
  expect(sentRecord({ age: undefined }, SCHEMA)).toEqual({});
});

it("says that a unit is none of the package's", () => {
  const problems = problemsOf({ age: { value: 71, unit: "h" } }, SCHEMA);
  expect(problems.get("age")).toContain("does not read hours");
});

it.each([
  ["1.200", "1200 or 1.2?"],
  ["1,234", "1234 or 1.2340?"],
  ["150.000", "150000 or 150.0?"],
])("asks which number %j is meant to be", (text, words) => {
  for (const age of [text, { value: text as never, unit: "mo" }]) {
    expect(problemsOf({ age }, SCHEMA).get("age")).toContain(words);
  }
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
