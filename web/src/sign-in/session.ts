import { createContext, useContext } from "react";
import type { Person, WhoAmI } from "../api/session";
import { placeOf } from "../app/router";

/** What the page knows of whoever sits before it. */
export type Session = {
  /** Null where the service asks nobody. */
  person: Person | null;
  /** Whether this service asks people who they are. */
  asks: boolean;
};

export const SessionContext = createContext<Session>({ person: null, asks: false });

export function useSession(): Session {
  return useContext(SessionContext);
}

/** Roles that see patients' cases; a system sees those that it sent. */
const CARE = ["clinician", "system"];

export const mayCare = (session: Session) =>
  !session.asks || (session.person?.roles ?? []).some((role) => CARE.includes(role));

/** Whether all cases of the site, and what was said of them, may be seen. */
export const maySeeSite = (session: Session) =>
  !session.asks || (session.person?.roles ?? []).includes("clinician");

export type Standing = "in" | "out" | "no-cases";

/** Whether the views are for whoever sits before the page. */
export function standingOf(session: Session): Standing {
  if (session.asks && session.person === null) return "out";
  return mayCare(session) ? "in" : "no-cases";
}

export const sessionOf = (who: WhoAmI): Session => ({
  person: who.person ?? null,
  asks: who.authentication === "on",
});

/** Between two looks; and the longest that a timer of a browser can wait. */
const SHORTEST_MS = 5000;
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Milliseconds until it is worth asking whether the session is over: a moment after it ends if nothing more is asked.
 *
 * @param lastUse when this page last asked something of the service
 */
export function untilOver(
  who: Pick<WhoAmI, "expires" | "idle_minutes">,
  lastUse: number,
  now: number,
): number {
  const idle = who.idle_minutes == null ? LONGEST_MS : lastUse + who.idle_minutes * 60_000 - now;
  const end = who.expires == null ? LONGEST_MS : Date.parse(who.expires) - now;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, Math.min(idle, end) + 1000));
}

const RETURN = "neurofuse-return";
/** Views that a person may come back to after signing in; the address of a case has no name of a patient in it. */
const VIEW = /^#\/[a-z]+(\/[A-Za-z0-9-]+)*$/;

/** Remember where somebody was when they left to sign in. */
export function keepPlace(hash: string): void {
  try {
    const place = placeOf(hash); // what was searched for may be anything
    if (VIEW.test(place) && !place.startsWith("#/sign-in")) sessionStorage.setItem(RETURN, place);
  } catch {
    // storage may be forbidden: they begin with a new case
  }
}

/** Where they were, once. */
export function placeKept(): string | null {
  try {
    const hash = sessionStorage.getItem(RETURN);
    sessionStorage.removeItem(RETURN);
    return hash !== null && VIEW.test(hash) ? hash : null;
  } catch {
    return null;
  }
}
