import { texts } from "../texts/en";

/** One feature of a package's record, read from its JSON Schema. */
export type Feature = {
  name: string;
  title: string;
  required: boolean;
} & (
  | {
      kind: "number";
      unit: string;
      low: number;
      high: number;
      isWhole: boolean;
      /** Units that the package reads, and of these the ones to choose from. */
      accepted: string[];
      units: string[];
    }
  | { kind: "category"; categories: string[] }
);

export type NumberFeature = Extract<Feature, { kind: "number" }>;

/** The parts of `GET /models/{name}/ehr-schema` that are read here. */
type Alternative = {
  type?: string | string[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  properties?: { unit?: { enum?: string[] } };
};
type Property = { title?: string; "x-unit"?: string | null; anyOf?: Alternative[] };
export type RecordSchema = {
  properties?: Record<string, Property>;
  required?: string[];
  minProperties?: number;
} & Record<string, unknown>;

/** Units that clinicians use beside the model's own; the schema accepts more, such as picograms. */
const OFFERED = new Set(["mg/dL", "d", "min"]);
/** Glucose is measured in this unit in half of the world. */
const BESIDE_MG_DL = "mmol/L";

/** The features of a record in the schema's order. */
export function featuresOf(schema: RecordSchema): Feature[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    title: property.title ?? name,
    required: required.has(name),
    ...kindOf(property),
  }));
}

function kindOf(property: Property) {
  const alternatives = property.anyOf ?? [];
  const choices = alternatives.find((one) => one.type === "string");
  if (choices) return { kind: "category" as const, categories: choices.enum ?? [] };
  const bare = alternatives.find((one) => one.type === "number");
  const quantity = alternatives.find((one) => one.type === "object");
  const unit = property["x-unit"] ?? "";
  const accepted = quantity?.properties?.unit?.enum ?? [];
  return {
    kind: "number" as const,
    unit,
    low: bare?.minimum ?? Number.NEGATIVE_INFINITY,
    high: bare?.maximum ?? Number.POSITIVE_INFINITY,
    isWhole: bare?.multipleOf === 1,
    accepted,
    units: [unit, ...accepted.filter((one) => one !== unit && isOffered(one, unit))],
  };
}

function isOffered(one: string, unit: string): boolean {
  if (unit === "a") return false;
  return OFFERED.has(one) || (unit === "mg/dL" && one === BESIDE_MG_DL);
}

/** A UCUM unit as clinicians write it; empty where the number needs none. */
export function unitWords(unit: string): string {
  return texts.record.units[unit] ?? unit;
}

export function categoryWords(category: string): string {
  return texts.record.categories[category] ?? category;
}

/** The plausible range in words, in the model's unit. */
export function rangeWords({ low, high, unit }: NumberFeature): string {
  return texts.record.range(numberWords(low), numberWords(high), unitWords(unit));
}

/** Three digits at least: 0.0004 is not 0. */
const NUMBERS = new Intl.NumberFormat("en", {
  maximumFractionDigits: 3,
  maximumSignificantDigits: 3,
  roundingPriority: "morePrecision",
  useGrouping: false,
});

export function numberWords(value: number): string {
  return NUMBERS.format(value);
}

/** The step of a slider: whole points and counts, otherwise a fiftieth of the range at most. */
export function stepOf({ low, high, unit, isWhole }: NumberFeature): number {
  const range = high - low;
  if (isWhole || range >= 50) return 1;
  if (unit === "{score}" && range >= 1) return 1;
  if (range < 5) return Number(`1e${Math.floor(Math.log10(range / 50))}`);
  return range >= 20 ? 0.5 : 0.1;
}
