import { useCallback } from "react";
import { getRecordSchema } from "../api/models";
import { type Loaded, useLoaded } from "../app/useLoaded";
import type { RecordSchema } from "./features";

/**
 * The record that one version of a package reads, and never another's while this one is on its way.
 *
 * @param reference `name@version`; null where none is chosen
 */
export function useRecordSchema(reference: string | null): Loaded<RecordSchema> {
  const load = useCallback(
    async (signal: AbortSignal) => {
      if (reference === null) return null;
      return { of: reference, schema: (await getRecordSchema(reference, signal)) as RecordSchema };
    },
    [reference],
  );
  const loaded = useLoaded(load);
  return { ...loaded, value: loaded.value?.of === reference ? (loaded.value?.schema ?? null) : null };
}
