import { useCallback } from "react";
import { listModels } from "../api/models";
import { texts } from "../texts/en";
import { intendedUseWords } from "./intended-use";
import type { Route } from "./router";
import { useLoaded } from "./useLoaded";

/** Stays in sight on every view and on every printed page; asks anew with every view, as packages come and go. */
export function Banner({ view }: Pick<Route, "view">) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another view asks once more
  const load = useCallback((signal: AbortSignal) => listModels(signal), [view]);
  const { value } = useLoaded(load);
  return (
    <p className="banner" role="note">
      <strong>{texts.banner.what}</strong> {intendedUseWords(value ?? [])}
    </p>
  );
}
