import createClient from "openapi-fetch";
import { isAbort, ServiceError, serviceError } from "./problem";
import type { paths } from "./schema";
import { heard, noteUse } from "./traffic";

/** Typed by the OpenAPI document; call it inside `answer`. */
export const client = createClient<paths>({ baseUrl: window.location.origin });
client.use({
  onRequest: ({ schemaPath }) => {
    if (schemaPath !== "/auth/me") noteUse();
  },
});

/** In place of an answer, that it is still to come. */
const ACCEPTED = 202;

type Exchange<T> = { data?: T | undefined; error?: unknown; response: Response };

/**
 * The data of an exchange.
 *
 * @throws {ServiceError} The service answered with a problem, not yet, or not at all.
 * @throws {DOMException} `AbortError`, where the caller's signal ended it.
 */
export async function answer<T>(exchange: Promise<Exchange<T>>): Promise<T> {
  const { data, error, response } = await exchange.catch(unreachable);
  const { ok, status, headers } = response;
  if (!ok || status === ACCEPTED) throw heard(serviceError(status, error, headers.get("Retry-After")));
  return data as T;
}

/**
 * What it means that an exchange brought no answer.
 *
 * @throws {ServiceError} It was not reached, or something else answered.
 * @throws {DOMException} `AbortError`, where the page itself ended it.
 */
export function unreachable(cause: unknown): never {
  if (isAbort(cause)) throw cause;
  // A body that is not JSON, or no connection at all: both mean that this is not the service answering.
  throw new ServiceError(cause instanceof SyntaxError ? "unexpected-answer" : "service-unreachable", 0);
}
