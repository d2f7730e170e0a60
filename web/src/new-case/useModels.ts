import { useEffect, useRef } from "react";
import { listModels } from "../api/models";
import type { ModelSummary } from "../api/types";
import { type Loaded, useLoaded } from "../app/useLoaded";

const PAUSE_MS = 2000;

/**
 * The packages in service, asked again while one of them is being loaded, as after a start of the service. What was here
 * once stays when the service does not answer: a case may be half filled in.
 */
export function useModels(): Loaded<ModelSummary[]> {
  const loaded = useLoaded(listModels);
  const { value, reload } = loaded;
  const last = useRef<ModelSummary[] | null>(null);
  if (value !== null) last.current = inService(value);
  useEffect(() => {
    if (!value?.some(({ state }) => state === "loading")) return;
    const waiting = setTimeout(reload, PAUSE_MS);
    return () => clearTimeout(waiting);
  }, [value, reload]);
  return { ...loaded, value: last.current };
}

/** What was taken out of service is listed for operators, not for clinicians. */
function inService(models: ModelSummary[]): ModelSummary[] {
  return models.filter(({ state }) => state !== "unloaded");
}
