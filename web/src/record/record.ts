import { type Schema, Validator } from "@cfworker/json-schema";
import type { PatientRecord, Quantity, RecordValue } from "../api/types";
import { texts } from "../texts/en";
import { type Feature, featuresOf, type RecordSchema, rangeWords, unitWords } from "./features";

/** What the form holds: as the service takes it, but for text that is no number yet. Unknown is absent. */
export type FormRecord = Record<string, RecordValue | undefined>;

const NUMBER = /^[+-]?(\d+[.,]?\d*|[.,]\d+)$/;
/** 1.200 is 1200 to some and 1.2 to others; so is 1,200. */
const AMBIGUOUS = /^([+-]?[1-9]\d{0,2})[.,](\d{3})$/;

/** A number as it was typed, with a decimal point or comma; the text itself where it is none, or may be two. */
export function parsedNumber(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const isPlain = NUMBER.test(trimmed) && !AMBIGUOUS.test(trimmed);
  return isPlain ? Number(trimmed.replace(",", ".")) : trimmed;
}

/** Asks which of two numbers a text is, and says how to write each; null where it is no such text. */
export function ambiguityOf(text: string): string | null {
  const [, whole, three] = AMBIGUOUS.exec(text.trim()) ?? [];
  if (whole === undefined || three === undefined) return null;
  const decimals = three.replace(/0+$/, "") || "0";
  return texts.record.ambiguous(
    whole + three,
    `${whole}.${decimals.length === 3 ? `${decimals}0` : decimals}`,
  );
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

/**
 * The part of what was filled in that a package's record has; what only another question asked is none of it. A number in
 * the package's own unit is bare, whatever unit another package has for it.
 */
export function partOf(form: FormRecord, schema: RecordSchema): FormRecord {
  const asked = Object.entries(form).filter(([name]) => isAsked(name, schema));
  return Object.fromEntries(asked.map(([name, value]) => [name, bare(value, unitOf(name, schema))]));
}

/** What was filled in, each number with its unit, with that part changed; what only another question asked stays. */
export function withPart(form: FormRecord, schema: RecordSchema, part: FormRecord): FormRecord {
  const others = Object.entries(form).filter(([name]) => !isAsked(name, schema));
  const changed = Object.entries(part).map(([name, value]) => [name, inUnit(value, unitOf(name, schema))]);
  return { ...Object.fromEntries(others), ...Object.fromEntries(changed) };
}

/**
 * The record to send, each number with the unit that it was entered in: the version that answers may be another than the
 * form was drawn for, and measure in another unit. Words in braces are no unit (UCUM, "annotations").
 */
export function sentRecord(part: FormRecord, schema: RecordSchema): PatientRecord {
  const known = Object.entries(recordOf(withPart({}, schema, part)));
  return Object.fromEntries(
    known.map(([name, value]) => [
      name,
      isQuantity(value) && value.unit.startsWith("{") ? value.value : value,
    ]),
  );
}

function bare(value: FormRecord[string], unit: string | null): FormRecord[string] {
  return isQuantity(value) && value.unit === unit ? value.value : value;
}

function inUnit(value: FormRecord[string], unit: string | null): FormRecord[string] {
  return value === undefined || unit === null || isQuantity(value) ? value : ({ value, unit } as Quantity);
}

/** A package's unit of a number; null of a choice. */
function unitOf(name: string, schema: RecordSchema): string | null {
  return schema.properties?.[name]?.["x-unit"] ?? null;
}

function isQuantity(value: FormRecord[string]): value is Quantity {
  return typeof value === "object" && value !== null;
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
  if (isQuantity(value) && !feature.accepted.includes(value.unit)) {
    return texts.record.otherUnit(unitWords(value.unit));
  }
  const number = isQuantity(value) ? value.value : value;
  if (typeof number !== "number") return ambiguityOf(String(number)) ?? texts.record.notANumber;
  const isPart = feature.isWhole && !Number.isInteger(number);
  return isPart ? texts.record.notWhole : texts.record.outOfRange(rangeWords(feature));
}
