import type { PatientRecord, RecordUsed, RecordValue } from "../api/types";
import { categoryWords, type Feature, numberWords, unitWords } from "../record/features";

/** The record of an answer in the model's own units, as sliders move in them; what was missing is absent. */
export function recordInModelUnits({ features }: RecordUsed): PatientRecord {
  const known = features.filter(({ value }) => value !== null);
  return Object.fromEntries(known.map(({ name, value }) => [name, value as RecordValue]));
}

export function withFeature(
  record: PatientRecord,
  name: string,
  value: RecordValue | undefined,
): PatientRecord {
  const { [name]: _before, ...others } = record;
  return value === undefined ? others : { ...others, [name]: value };
}

export function isSame(left: PatientRecord, right: PatientRecord): boolean {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].every((name) => left[name] === right[name]);
}

/** A value of a feature in words, with its unit. */
export function valueWords(feature: Feature, value: RecordValue | undefined, unknown: string): string {
  if (value === undefined || value === null) return unknown;
  if (feature.kind === "category") return categoryWords(String(value));
  return `${numberWords(Number(value))} ${unitWords(feature.unit)}`.trim();
}
