import { useSyncExternalStore } from "react";

/** A case whose view was left before its prediction failed. */
export type Unanswered = { reference: string; error: unknown };

let cases: readonly Unanswered[] = [];
const listeners = new Set<() => void>();

function become(next: readonly Unanswered[]): void {
  cases = next;
  for (const changed of listeners) changed();
}

/** Have the page tell of it, whatever view is open by now: the worklist holds no trace of it. */
export function tellUnanswered(one: Unanswered): void {
  become([...cases, one]);
}

/** Somebody has read of it. */
export function forgetUnanswered(one: Unanswered): void {
  become(cases.filter((other) => other !== one));
}

export function useUnanswered(): readonly Unanswered[] {
  return useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    () => cases,
  );
}
