import { useCallback, useEffect, useState } from "react";
import type { Worklist } from "../api/types";
import { listPredictions } from "../api/worklist";
import { type Loaded, useLoaded } from "../app/useLoaded";
import { type Filters, NO_FILTERS, queryOf, type Sort } from "./query";

const SEARCH_PAUSE_MS = 250;

export type WorklistHandle = Loaded<Worklist> & {
  filters: Filters;
  filter: (change: Partial<Filters>) => void;
  sort: Sort;
  sortBy: (sort: Sort) => void;
  offset: number;
  turnTo: (offset: number) => void;
};

/** One page of the worklist, for filters that may be changing as they are typed. */
export function useWorklist(): WorklistHandle {
  const [filters, setFilters] = useState<Filters>(NO_FILTERS);
  const [sort, setSort] = useState<Sort>("-created");
  const [offset, turnTo] = useState(0);
  const settled = useSettled(filters, SEARCH_PAUSE_MS);
  const load = useCallback(
    (signal: AbortSignal) => listPredictions(queryOf(settled, sort, offset), signal),
    [settled, sort, offset],
  );
  const loaded = useLoaded(load);
  const filter = (change: Partial<Filters>) => {
    setFilters((before) => ({ ...before, ...change }));
    turnTo(0);
  };
  const sortBy = (next: Sort) => {
    setSort(next);
    turnTo(0);
  };
  return { ...loaded, filters, filter, sort, sortBy, offset, turnTo };
}

function useSettled<T>(value: T, pauseMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const waiting = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(waiting);
  }, [value, pauseMs]);
  return settled;
}
