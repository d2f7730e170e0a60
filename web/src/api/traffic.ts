import type { ServiceError } from "./problem";

export const NOT_AUTHENTICATED = "not-authenticated";

/** Tells the page that the service no longer knows who asks, whichever request met it. */
export const refusals = new EventTarget();

/** Passes an error on; the page hears of it where it means that nobody is signed in. */
export function heard(error: ServiceError): ServiceError {
  if (error.code === NOT_AUTHENTICATED) refusals.dispatchEvent(new Event(NOT_AUTHENTICATED));
  return error;
}

let used = Date.now();

/** Note that the service was asked for something, which puts off the end of a session. */
export function noteUse(): void {
  used = Date.now();
}

/** When it last was, in milliseconds since 1970. */
export const lastUse = () => used;
