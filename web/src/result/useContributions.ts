import { useCallback } from "react";
import { getRecord, whatIf } from "../api/predictions";
import type { Answer, Contribution } from "../api/types";
import { type Loaded, useLoaded } from "../app/useLoaded";

/**
 * What each known feature contributed: from the answer, else asked of the kept case with its unchanged record.
 *
 * The error is `case-expired` where the case is no longer kept.
 */
export function useContributions({ id, ehr }: Answer): Loaded<Contribution[]> {
  const given = (ehr as { contributions?: Contribution[] | null }).contributions ?? null;
  return useLoaded(
    useCallback(
      async (signal: AbortSignal) => {
        if (given !== null) return given;
        const record = await getRecord(id, signal);
        const again = await whatIf(id, record, "ehr", signal);
        return again.ehr.contributions ?? [];
      },
      [id, given],
    ),
  );
}
