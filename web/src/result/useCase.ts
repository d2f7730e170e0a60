import { useCallback } from "react";
import { getModel } from "../api/models";
import { getPrediction } from "../api/predictions";
import type { Answer, ModelDetail } from "../api/types";
import { getReference } from "../api/worklist";
import { type Loaded, useLoaded } from "../app/useLoaded";

export type Case = {
  answer: Answer;
  /** The package that gave it; null where it is no longer served. */
  model: ModelDetail | null;
  /** The case number that somebody gave it. */
  reference: string | null;
};

/** An answer with what belongs to it. */
export function useCase(id: string): Loaded<Case> {
  return useLoaded(
    useCallback(
      async (signal: AbortSignal) => {
        const answer = await getPrediction(id, signal);
        const { name, version } = answer.model;
        const [model, reference] = await Promise.all([
          getModel(name, version, signal).catch(() => null),
          getReference(answer.id, signal),
        ]);
        return { answer, model, reference };
      },
      [id],
    ),
  );
}
