import { useCallback } from "react";
import { getModel } from "../api/models";
import { getPrediction } from "../api/predictions";
import type { Answer, ModelDetail } from "../api/types";
import { type Loaded, useLoaded } from "../app/useLoaded";

export type Case = { answer: Answer; model: ModelDetail | null };

/** An answer with the package that gave it; null where that package is no longer served. */
export function useCase(id: string): Loaded<Case> {
  return useLoaded(
    useCallback(
      async (signal: AbortSignal) => {
        const answer = await getPrediction(id, signal);
        const { name, version } = answer.model;
        const model = await getModel(name, version, signal).catch(() => null);
        return { answer, model };
      },
      [id],
    ),
  );
}
