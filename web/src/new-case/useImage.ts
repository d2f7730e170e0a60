import { useCallback, useEffect, useRef, useState } from "react";
import { isAbort, ServiceError } from "../api/problem";
import type { Upload } from "../api/types";
import { forgetUpload, type Progress, upload } from "../api/uploads";
import { areReadable } from "./drop";

export type ImageState =
  | { stage: "empty" }
  | { stage: "gathering" }
  | { stage: "sending"; files: File[]; progress: Progress }
  | { stage: "ready"; files: File[]; upload: Upload }
  | { stage: "failed"; files: File[]; error: unknown };

export type ImageHandle = {
  state: ImageState;
  /** Take what was dropped or picked, and send it at once. */
  take: (files: Promise<File[]>) => void;
  /** Give up what is under way; what the service holds is forgotten. */
  drop: () => void;
  /** Send the same files once more. */
  again: () => void;
};

/** The image of the case: from files to what the service recognised in them, for one model at a time. */
export function useImage(model: string | null): ImageHandle {
  const [state, setState] = useState<ImageState>({ stage: "empty" });
  const current = useRef<AbortController | null>(null);
  const files = useRef<File[]>([]);
  // As chosen when the files leave, which may be after another choice than when they were dropped.
  const wanted = useRef(model);
  wanted.current = model;

  const start = useCallback(() => {
    current.current?.abort();
    current.current = new AbortController();
    return current.current.signal;
  }, []);

  const send = useCallback(async () => {
    if (files.current.length === 0) return;
    const signal = start();
    const sent = files.current;
    // Sent once there is one to choose.
    if (!wanted.current) return setState({ stage: "failed", files: sent, error: "no-model" });
    const settle = (next: ImageState) => {
      if (!signal.aborted) setState(next);
    };
    settle({ stage: "sending", files: sent, progress: { sent: 0, total: 0 } });
    try {
      const progressed = (progress: Progress) => settle({ stage: "sending", files: sent, progress });
      const received = await upload(sent, wanted.current, progressed, signal);
      settle({ stage: "ready", files: sent, upload: received });
    } catch (error) {
      if (!isAbort(error)) settle({ stage: "failed", files: sent, error: await reasonOf(error, sent) });
    }
  }, [start]);

  const take = useCallback(
    async (gathered: Promise<File[]>) => {
      const signal = start();
      files.current = []; // those before are not to be sent any more
      setState({ stage: "gathering" });
      try {
        const found = await gathered;
        if (signal.aborted) return;
        files.current = found;
        if (found.length > 0) await send();
        else setState({ stage: "failed", files: [], error: "empty" });
      } catch {
        if (!signal.aborted) setState({ stage: "failed", files: [], error: "unreadable" });
      }
    },
    [send, start],
  );

  const drop = useCallback(() => {
    start();
    files.current = [];
    setState({ stage: "empty" });
  }, [start]);

  // Another model reads another image, so the same files are judged anew.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `send` takes the model that is chosen now
  useEffect(() => {
    send();
  }, [send, model]);
  useForgotten(state);
  useEffect(() => () => current.current?.abort(), []);
  return { state, take, drop, again: send };
}

/** To the browser a file that it cannot read is a connection that failed. */
async function reasonOf(error: unknown, files: readonly File[]): Promise<unknown> {
  const isUnreachable = error instanceof ServiceError && error.code === "service-unreachable";
  return isUnreachable && !(await areReadable(files)) ? "unreadable" : error;
}

/** What the service holds is forgotten once it is replaced or the view is left; it would expire anyway. */
function useForgotten(state: ImageState) {
  const id = state.stage === "ready" ? state.upload.id : null;
  useEffect(() => {
    if (!id) return;
    return () => {
      forgetUpload(id).catch(() => undefined);
    };
  }, [id]);
}
