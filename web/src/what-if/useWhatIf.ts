import { useCallback, useEffect, useRef, useState } from "react";
import { whatIf } from "../api/predictions";
import type { PatientRecord, WhatIf } from "../api/types";
import { Latest } from "../app/latest";

/** Short enough to follow a slider, long enough not to ask at every pixel of it. */
const PAUSE_MS = 120;

export type Asked<T> = State<T> & { again: () => void };

type State<T> = { answer: T | null; error: unknown; pending: boolean };

/** The answer for a record that is being changed; the last one stays until a newer one is there. */
export function useWhatIf(id: string, record: PatientRecord, isChanged: boolean): Asked<WhatIf> {
  return useAsked(id, isChanged ? record : null, (wanted, signal) => whatIf(id, wanted, "none", signal));
}

/**
 * Ask again, a moment after the question has changed.
 *
 * @param key another case begins anew
 * @param question asked when it changes; `null` asks nothing
 */
export function useAsked<Q, T>(
  key: string,
  question: Q | null,
  ask: (question: Q, signal: AbortSignal) => Promise<T>,
): Asked<T> {
  const [state, setState] = useState<State<T>>({ answer: null, error: null, pending: false });
  const [round, setRound] = useState(0);
  const latest = useRef(new Latest<T>());
  const asking = useRef(ask);
  asking.current = ask;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another `key` is another case, and asks anew, as `round` does
  useEffect(() => {
    const newest = latest.current;
    if (question === null) {
      setState({ answer: null, error: null, pending: false });
      return;
    }
    setState((before) => ({ ...before, pending: true }));
    const put = async () => {
      try {
        const answer = await newest.run((signal) => asking.current(question, signal));
        if (answer !== null) setState({ answer, error: null, pending: false });
      } catch (error) {
        setState({ answer: null, error, pending: false });
      }
    };
    const waiting = setTimeout(put, PAUSE_MS);
    return () => {
      clearTimeout(waiting);
      newest.cancel();
    };
  }, [key, question, round]);
  return { ...state, again: useCallback(() => setRound((n) => n + 1), []) };
}
