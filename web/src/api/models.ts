import { answer, client } from "./client";
import type { ModelDetail, ModelSummary } from "./types";

/** Every package and its state. */
export async function listModels(signal?: AbortSignal): Promise<ModelSummary[]> {
  return (await answer(client.GET("/models", { signal: signal ?? null }))).models;
}

/** One version of a package, with its manifest. */
export function getModel(name: string, version: number, signal?: AbortSignal): Promise<ModelDetail> {
  // openapi-fetch widens tuples to arrays.
  return answer(
    client.GET("/models/{name}/{version}", { params: { path: { name, version } }, signal: signal ?? null }),
  ) as Promise<ModelDetail>;
}

/** JSON Schema of the record that a package reads, by its name or as `name@version`. */
export function getRecordSchema(name: string, signal?: AbortSignal): Promise<Record<string, unknown>> {
  return answer(
    client.GET("/models/{name}/ehr-schema", { params: { path: { name } }, signal: signal ?? null }),
  );
}

/** The model card, Markdown. */
export function getModelCard(name: string, version: number, signal?: AbortSignal): Promise<string> {
  return answer(
    client.GET("/models/{name}/{version}/card", {
      params: { path: { name, version } },
      parseAs: "text",
      signal: signal ?? null,
    }),
  );
}
