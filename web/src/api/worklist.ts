import { answer, client } from "./client";
import type { operations } from "./schema";
import type { Feedback, GivenFeedback, Worklist } from "./types";

/** What `GET /predictions` is asked. */
export type WorklistQuery = NonNullable<operations["list_predictions"]["parameters"]["query"]>;

/** One page of earlier predictions. */
export function listPredictions(query: WorklistQuery, signal?: AbortSignal): Promise<Worklist> {
  return answer(client.GET("/predictions", { params: { query }, signal: signal ?? null }));
}

/** The number that somebody gave a case, which its answer does not hold; null where nobody did. */
export async function getReference(id: string, signal?: AbortSignal): Promise<string | null> {
  // The oldest: the number of a later case may hold this id, as where a case was run anew.
  const { items } = await listPredictions({ q: id, sort: "created", limit: 1 }, signal);
  return items.find((item) => item.id === id)?.reference ?? null;
}

/** Remove a prediction with all that belongs to it. */
export async function deletePrediction(id: string): Promise<void> {
  await answer(client.DELETE("/predictions/{prediction_id}", { params: of(id) }));
}

export function getFeedback(id: string, signal?: AbortSignal): Promise<Feedback> {
  return answer(
    client.GET("/predictions/{prediction_id}/feedback", { params: of(id), signal: signal ?? null }),
  );
}

export function putFeedback(id: string, feedback: GivenFeedback): Promise<Feedback> {
  return answer(client.PUT("/predictions/{prediction_id}/feedback", { params: of(id), body: feedback }));
}

const of = (id: string) => ({ path: { prediction_id: id } });

/** Every feedback as CSV. */
export function getFeedbackTable(): Promise<Blob> {
  return answer(client.GET("/feedback.csv", { parseAs: "blob" }));
}
