import { useCallback, useEffect, useMemo, useState } from "react";
import type { Worklist } from "../api/types";
import { listPredictions } from "../api/worklist";
import { onAnswered } from "../app/answered";
import { type Route, search } from "../app/router";
import { type Loaded, useLoaded } from "../app/useLoaded";
import { type Filters, PAGE_SIZE, queryOf, type Shown, type Sort, searchOf, shownBy } from "./query";

const SEARCH_PAUSE_MS = 250;

export type WorklistHandle = Loaded<Worklist> & {
  filters: Filters;
  filter: (change: Partial<Filters>) => void;
  sort: Sort;
  sortBy: (sort: Sort) => void;
  turnTo: (offset: number) => void;
};

/**
 * One page of the worklist, for filters that may be changing as they are typed. What is shown stands in the address:
 * it is there again when somebody comes back from a case, and when the page is loaded anew.
 */
export function useWorklist(route: Extract<Route, { view: "worklist" }>): WorklistHandle {
  const words = route.search ?? "";
  const { filters, sort, offset } = useMemo(() => shownBy(words), [words]);
  const show = (change: Partial<Shown>) =>
    search({ ...route, search: searchOf({ filters, sort, offset: 0, ...change }) });
  const q = useSettled(filters.q, SEARCH_PAUSE_MS);
  const asked = searchOf({ filters: { ...filters, q }, sort, offset });
  const load = useCallback(
    (signal: AbortSignal) => listPredictions(queryOf(shownBy(asked)), signal),
    [asked],
  );
  const loaded = useLoaded(load);
  useFresh(loaded.reload);
  const turnTo = (next: number) => show({ offset: next });
  useWithinPages(loaded.value, turnTo);
  return {
    ...loaded,
    filters,
    filter: (change) => show({ filters: { ...filters, ...change } }),
    sort,
    sortBy: (next) => show({ sort: next }),
    turnTo,
  };
}

/**
 * Asks again when somebody comes back to the tab, as other systems add cases meanwhile, and when the case that they left
 * for the worklist has been answered. Not by a clock, which would keep a session alive at which nobody sits.
 */
function useFresh(reload: () => void) {
  useEffect(() => {
    const onChange = () => {
      if (document.visibilityState === "visible") reload();
    };
    document.addEventListener("visibilitychange", onChange);
    return () => document.removeEventListener("visibilitychange", onChange);
  }, [reload]);
  useEffect(() => onAnswered(reload), [reload]);
}

/** Turns to the last page where there is none any more: its cases were deleted, or the address is an old one. */
function useWithinPages(page: Worklist | null, turnTo: (offset: number) => void) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another page can be one that is not there
  useEffect(() => {
    if (page === null || page.items.length > 0 || page.offset === 0) return;
    turnTo(Math.max(0, Math.ceil(page.total / PAGE_SIZE) - 1) * PAGE_SIZE);
  }, [page]);
}

function useSettled<T>(value: T, pauseMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const waiting = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(waiting);
  }, [value, pauseMs]);
  return settled;
}
