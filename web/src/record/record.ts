import { type Schema, Validator } from "@cfworker/json-schema";
import type { PatientRecord, Quantity, RecordValue } from "../api/types";
import { texts } from "../texts/en";
import { type Feature, featuresOf, type RecordSchema, rangeWords } from "./features";

/** What the form holds: as the service takes it, but for text that is no number yet. Unknown is absent. */
export type FormRecord = Record<string, RecordValue | undefined>;

/** A number as it was typed, with a decimal point or comma; the text itself where it is none. */
export function parsedNumber(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const number = Number(trimmed.replace(",", "."));
  return Number.isFinite(number) ? number : trimmed;
}

/** A typed number in a unit: bare in the model's own, a quantity in another. */
export function typedValue(text: string, unit: string, modelUnit: string): RecordValue | undefined {
  const value = parsedNumber(text);
  if (value === undefined || unit === modelUnit) return value;
  return { value, unit } as Quantity;
}

/** The record to send: what is unknown is left out, never sent as an empty value. */
export function recordOf(form: FormRecord | undefined): PatientRecord {
  const known = Object.entries(form ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known) as PatientRecord;
}

/** The part of what was filled in that a package's record has; what only another question asked is none of it. */
export function partOf(form: FormRecord, schema: RecordSchema): FormRecord {
  return Object.fromEntries(Object.entries(form).filter(([name]) => isAsked(name, schema)));
}

/** What was filled in, with that part changed; what only another question asked stays. */
export function withPart(form: FormRecord, schema: RecordSchema, part: FormRecord): FormRecord {
  const others = Object.entries(form).filter(([name]) => !isAsked(name, schema));
  return { ...Object.fromEntries(others), ...part };
}

function isAsked(name: string, schema: RecordSchema): boolean {
  return Object.hasOwn(schema.properties ?? {}, name);
}

/** What is wrong with a record, in words by feature; the key "" holds what concerns the whole of it. */
export function problemsOf(form: FormRecord | undefined, schema: RecordSchema): Map<string, string> {
  const record = recordOf(form);
  const result = new Validator(schema as Schema, "2020-12", false).validate(record);
  const places = new Set(result.errors.map((error) => error.instanceLocation.split("/")[1]));
  const features = featuresOf(schema);
  const unusable = features.filter(({ name }) => places.has(name));
  const missing = features.filter(({ name, required }) => required && !(name in record));
  const problems = new Map([
    ...unusable.map((feature) => [feature.name, words(feature, form?.[feature.name])] as const),
    ...missing.map(({ name }) => [name, texts.record.required] as const),
  ]);
  if (result.errors.some(({ keyword }) => keyword === "minProperties")) {
    problems.set("", texts.record.tooFew(schema.minProperties ?? 0));
  }
  return problems;
}

function words(feature: Feature, value: RecordValue | undefined): string {
  if (feature.kind === "category") return texts.record.notAChoice;
  const number = typeof value === "object" && value !== null ? value.value : value;
  if (typeof number !== "number") return texts.record.notANumber;
  const isPart = feature.isWhole && !Number.isInteger(number);
  return isPart ? texts.record.notWhole : texts.record.outOfRange(rangeWords(feature));
}
