import { type RefObject, useCallback, useLayoutEffect, useRef } from "react";
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
  const place = useRef<HTMLParagraphElement>(null);
  useKnownHeight(place);
  return (
    <p ref={place} className="banner" role="note">
      <strong>{texts.banner.what}</strong> {intendedUseWords(value ?? [])}
    </p>
  );
}

/** What else stays in sight stands below the banner, which is as high as the packages' words are long. */
function useKnownHeight(place: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const banner = place.current;
    if (banner === null) return;
    const tell = () =>
      document.documentElement.style.setProperty("--banner-height", `${banner.offsetHeight}px`);
    const watcher = new ResizeObserver(tell);
    watcher.observe(banner);
    return () => watcher.disconnect();
  }, [place]);
}
