import type { ModelSummary } from "../api/types";
import { texts } from "../texts/en";

/** What the packages say they may be used for, each statement once; general words where none has been verified. */
export function intendedUseWords(
  models: readonly Pick<ModelSummary, "name" | "version" | "intended_use">[],
): string {
  const packages = new Map<string, string[]>();
  for (const { name, version, intended_use: use } of models) {
    if (use) packages.set(use, [...(packages.get(use) ?? []), `${name} ${version}`]);
  }
  const statements = [...packages.keys()];
  if (statements.length === 0) return texts.banner.general;
  if (statements.length === 1) return statements[0] ?? "";
  return [...packages].map(([use, names]) => texts.banner.usesOf(names.join(", "), use)).join(" ");
}
