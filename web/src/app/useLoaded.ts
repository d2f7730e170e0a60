import { useCallback, useEffect, useState } from "react";

export type Loaded<T> = { value: T | null; error: unknown; pending: boolean; reload: () => void };

type State<T> = Omit<Loaded<T>, "reload">;

/**
 * Load something for a view. A newer load aborts the older one, and what the older one still brings is dropped.
 *
 * @param load called again whenever its identity changes (wrap it in `useCallback`); gets the signal to pass on
 */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<State<T>>({ value: null, error: null, pending: true });
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` asks for the same load once more
  useEffect(() => {
    const aborter = new AbortController();
    const settle = (next: State<T>) => {
      if (!aborter.signal.aborted) setState(next);
    };
    setState((before) => ({ ...before, error: null, pending: true }));
    load(aborter.signal).then(
      (value) => settle({ value, error: null, pending: false }),
      (error: unknown) => settle({ value: null, error, pending: false }),
    );
    return () => aborter.abort();
  }, [load, round]);
  return { ...state, reload: useCallback(() => setRound((n) => n + 1), []) };
}
