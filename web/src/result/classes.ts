import type { ModelDetail } from "../api/types";
import { categoryWords, numberWords, unitWords } from "../record/features";
import { texts } from "../texts/en";

export type Manifest = NonNullable<ModelDetail["manifest"]>;

/** A class in words: the page's own, else the package's title, else the label. */
export function className(label: string, manifest: Manifest | null): string {
  const titled = manifest?.outputs.classes.find((each) => each.label === label)?.title;
  return texts.result.classes.names[label] ?? titled ?? label;
}

/** A feature's title as the package words it. */
export function featureTitle(name: string, manifest: Manifest | null): string {
  return manifest?.ehr.features.find((feature) => feature.name === name)?.title ?? name;
}

/** A value as clinicians write it, with its unit. */
export function valueWords(value: number | string | null, unit: string | null): string {
  if (value === null) return "–";
  if (typeof value === "string") return categoryWords(value);
  return [numberWords(value), unit === null ? "" : unitWords(unit)].filter(Boolean).join(" ");
}
