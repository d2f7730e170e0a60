import { answer, client } from "./client";
import type { Answer, Curve, PatientRecord, WhatIf } from "./types";
import { askOf } from "./uploads";

/** What `POST /predict` is asked for a case whose files lie with the service. */
export type PredictRequest = {
  upload: string;
  model: string;
  record: PatientRecord;
  reference: string;
};

/** Ask for the answer to an uploaded case; the image is kept for viewing. */
export function predict(request: PredictRequest, signal?: AbortSignal): Promise<Answer> {
  const form = new FormData();
  form.append("upload", request.upload);
  form.append("model", request.model);
  form.append("ehr", JSON.stringify(request.record));
  form.append("keep", "image");
  form.append("explain", "ehr");
  if (request.reference) form.append("reference", request.reference);
  const asked = client.POST("/predict", {
    // The generated type describes the form's parts; what travels is the form.
    body: form as never,
    bodySerializer: (body: unknown) => body as FormData,
    signal: signal ?? null,
  });
  // openapi-fetch widens tuples to arrays.
  return askOf(request.upload, answer(asked)) as Promise<Answer>;
}

/** An answer that was given. */
export function getPrediction(id: string, signal?: AbortSignal): Promise<Answer> {
  // openapi-fetch widens tuples to arrays.
  return answer(
    client.GET("/predictions/{prediction_id}", {
      params: of(id),
      signal: signal ?? null,
    }),
  ) as Promise<Answer>;
}

/** The record as it was sent, while the case is kept. */
export async function getRecord(id: string, signal?: AbortSignal): Promise<PatientRecord> {
  const sent = await answer(
    client.GET("/predictions/{prediction_id}/record", { params: of(id), signal: signal ?? null }),
  );
  return sent.ehr as PatientRecord;
}

/** The kept image with another record. */
export function whatIf(
  id: string,
  record: PatientRecord,
  explain: "none" | "ehr" = "none",
  signal?: AbortSignal,
): Promise<WhatIf> {
  return answer(
    client.POST("/predictions/{prediction_id}/what-if", {
      params: of(id),
      body: { ehr: record, explain },
      signal: signal ?? null,
    }),
  );
}

/** The kept image with one feature going over its plausible range, or over its categories. */
export function curve(
  id: string,
  record: PatientRecord,
  feature: string,
  points = 21,
  signal?: AbortSignal,
): Promise<Curve> {
  return answer(
    client.POST("/predictions/{prediction_id}/curve", {
      params: of(id),
      body: { ehr: record, feature, points },
      signal: signal ?? null,
    }),
  );
}

const of = (id: string) => ({ path: { prediction_id: id } });

/** Where the kept volume lies; the viewer reads it. */
export const imageUrl = (id: string) => `/predictions/${id}/image.nii.gz`;
