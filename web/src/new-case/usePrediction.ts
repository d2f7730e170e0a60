import { useCallback, useEffect, useRef, useState } from "react";
import { type PredictRequest, predict } from "../api/predictions";
import { isAbort } from "../api/problem";
import { goTo } from "../app/router";

export type PredictionState =
  | { stage: "idle" }
  | { stage: "cancelled" }
  | { stage: "working"; since: number }
  | { stage: "failed"; error: unknown };

/** One prediction at a time; its answer opens as the result. */
export function usePrediction() {
  const [state, setState] = useState<PredictionState>({ stage: "idle" });
  const aborter = useRef<AbortController | null>(null);

  const ask = useCallback(async (request: PredictRequest) => {
    aborter.current?.abort();
    aborter.current = new AbortController();
    const { signal } = aborter.current;
    setState({ stage: "working", since: Date.now() });
    try {
      const given = await predict(request, signal);
      if (!signal.aborted) goTo({ view: "case", id: given.id });
    } catch (error) {
      if (!isAbort(error)) setState({ stage: "failed", error });
    }
  }, []);

  const cancel = useCallback(() => {
    aborter.current?.abort();
    setState({ stage: "cancelled" });
  }, []);
  const clear = useCallback(() => setState({ stage: "idle" }), []);
  useEffect(() => () => aborter.current?.abort(), []);
  return { state, ask, cancel, clear };
}
