import type { components } from "./schema";

/** RFC 9457 problem document, as the service gives it; further members depend on the code. */
export type Problem = components["schemas"]["Problem"] & Record<string, unknown>;

/** Codes of this page, for exchanges that brought neither an answer nor a problem document of the service. */
export const PAGE_CODES = [
  "service-unreachable",
  "unexpected-answer",
  "not-answered-yet",
  "part-missing",
] as const;

/** What a request to the service failed with. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";

  /**
   * @param code stable identifier: the service's, or one of `PAGE_CODES`
   * @param status HTTP status; 0 where there was no answer
   * @param problem the document, where the service gave one
   * @param retryAfterS seconds that the service asks to wait
   */
  constructor(
    readonly code: string,
    readonly status: number,
    readonly problem: Problem | null = null,
    readonly retryAfterS: number | null = null,
  ) {
    super(code);
  }
}

/** The status of a job that is opened before its turn, and those that something in between answers with in its own words. */
const CODE_OF_STATUS: Record<number, string> = {
  202: "not-answered-yet",
  401: "not-authenticated",
  403: "not-allowed",
  404: "not-found",
  413: "upload-too-large",
  429: "rate-limited",
  503: "overloaded",
};

/**
 * What an answer other than 2xx, or a 202, means.
 *
 * @param body the answer's body, parsed where it was JSON
 * @param retryAfter the header Retry-After; only its form in seconds is used
 */
export function serviceError(status: number, body: unknown, retryAfter: string | null): ServiceError {
  const seconds = retryAfter === null ? Number.NaN : Number.parseInt(retryAfter, 10);
  const retryAfterS = Number.isNaN(seconds) ? null : seconds;
  if (!isProblem(body)) {
    return new ServiceError(CODE_OF_STATUS[status] ?? "unexpected-answer", status, null, retryAfterS);
  }
  const code = body.type.slice(body.type.lastIndexOf("/") + 1);
  return new ServiceError(code, status, body, retryAfterS);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && typeof (body as Problem).type === "string";
}

/** Whether a request ended because the page itself gave it up. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
