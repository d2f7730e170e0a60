import { useCallback, useEffect, useRef, useState } from "react";
import { type PredictRequest, predict } from "../api/predictions";
import { isAbort } from "../api/problem";
import type { PatientRecord } from "../api/types";
import { tellAnswered } from "../app/answered";
import { goTo } from "../app/router";
import { tellUnanswered } from "../app/unanswered";

export type PredictionState =
  | { stage: "idle" }
  | { stage: "cancelled" }
  /** Stopped by the page, as the case was changed. */
  | { stage: "outdated" }
  | { stage: "working"; since: number }
  | { stage: "failed"; error: unknown /** What was sent. */; record: PatientRecord };

/**
 * One prediction at a time; its answer opens as the result. Whoever opens another view meanwhile did not cancel: the
 * answer is kept, and found in the worklist; that there is none is said wherever they are.
 */
export function usePrediction() {
  const [state, setState] = useState<PredictionState>({ stage: "idle" });
  const aborter = useRef<AbortController | null>(null);
  const isShown = useRef(true);

  const failed = useCallback(({ record, reference }: PredictRequest, error: unknown) => {
    if (isShown.current) setState({ stage: "failed", error, record });
    else tellUnanswered({ reference, error });
  }, []);

  const ask = useCallback(
    async (request: PredictRequest) => {
      aborter.current?.abort();
      aborter.current = new AbortController();
      const { signal } = aborter.current;
      setState({ stage: "working", since: Date.now() });
      try {
        const given = await predict(request, signal);
        if (signal.aborted) return;
        if (isShown.current) goTo({ view: "case", id: given.id });
        else tellAnswered();
      } catch (error) {
        if (!signal.aborted && !isAbort(error)) failed(request, error);
      }
    },
    [failed],
  );

  const cancel = useCallback(() => {
    aborter.current?.abort();
    setState({ stage: "cancelled" });
  }, []);
  /** The case has changed: what is still to come would be the answer to another one. */
  const outdate = useCallback(() => {
    aborter.current?.abort();
    setState((before) => (before.stage === "working" ? { stage: "outdated" } : before));
  }, []);
  /** What went wrong was of another image. */
  const forgive = useCallback(
    () => setState((before) => (before.stage === "failed" ? { stage: "idle" } : before)),
    [],
  );
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  return { state, ask, cancel, outdate, forgive };
}
