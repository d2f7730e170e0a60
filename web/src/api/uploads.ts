import { answer, client } from "./client";
import { ServiceError, serviceError } from "./problem";
import { heard, noteUse } from "./traffic";
import type { Upload } from "./types";

/** Bytes that have left this computer, of those that will. */
export type Progress = { sent: number; total: number };

/**
 * Send files once; the service says what it recognised and keeps them for the prediction.
 *
 * `fetch` reports no progress of what is sent, so this is an XMLHttpRequest.
 *
 * @param model package as `name@version`
 * @throws {ServiceError} The service refused the image, or could not be reached.
 * @throws {DOMException} `AbortError`, where the signal ended it.
 */
export function upload(
  files: readonly File[],
  model: string,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Upload> {
  const form = new FormData();
  form.append("model", model);
  // Under numbers: a file's name may hold the patient's.
  files.forEach((file, index) => {
    form.append("image", file, String(index));
  });
  noteUse();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/uploads");
    request.upload.onprogress = (event) => onProgress({ sent: event.loaded, total: event.total });
    request.onload = () => settle(request, resolve, reject);
    request.onerror = () => reject(new ServiceError("service-unreachable", 0));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

function settle(
  request: XMLHttpRequest,
  resolve: (upload: Upload) => void,
  reject: (error: ServiceError) => void,
) {
  const body = parsed(request.responseText);
  const isDone = request.status >= 200 && request.status < 300 && body !== null;
  if (isDone) resolve(body as Upload);
  else reject(heard(serviceError(request.status, body, request.getResponseHeader("Retry-After"))));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What is being asked of an upload, until it is answered. */
const questions = new Map<string, Promise<void>>();

/** Ask something of an upload, which stays until the answer has come. */
export function askOf<T>(id: string, question: Promise<T>): Promise<T> {
  const answered = question.then(
    () => undefined,
    () => undefined,
  );
  questions.set(id, answered);
  answered.then(() => questions.get(id) === answered && questions.delete(id));
  return question;
}

/** Let the service forget files that will not be used; not before a question that may still be on its way to it. */
export async function forgetUpload(id: string): Promise<void> {
  await questions.get(id);
  await answer(client.DELETE("/uploads/{upload_id}", { params: { path: { upload_id: id } } }));
}

/** Three planes of what was read, with the model's box. */
export const overviewUrl = (id: string) => `/uploads/${id}/overview.png`;
