import { useCallback } from "react";
import { getRecordSchema } from "../api/models";
import type { Answer } from "../api/types";
import { ProblemNotice } from "../app/ProblemNotice";
import { useLoaded } from "../app/useLoaded";
import type { RecordSchema } from "../record/features";
import { WhatIfPanel } from "./WhatIfPanel";

/** The what-if of an answer, with the record that its package reads. */
export default function WhatIf({ answer }: { answer: Answer }) {
  const { name } = answer.model;
  const load = useCallback((signal: AbortSignal) => getRecordSchema(name, signal), [name]);
  const { value, error, reload } = useLoaded(load);
  if (error !== null) return <ProblemNotice error={error} onRetry={reload} />;
  if (!value) return null;
  return <WhatIfPanel predictionId={answer.id} schema={value as RecordSchema} original={answer} />;
}
