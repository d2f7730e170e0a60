import type { Answer } from "../api/types";
import { ProblemNotice } from "../app/ProblemNotice";
import { useRecordSchema } from "../record/useRecordSchema";
import { WhatIfPanel } from "./WhatIfPanel";

/** The what-if of an answer, with the record that the version which gave it reads. */
export default function WhatIf({ answer }: { answer: Answer }) {
  const { name, version } = answer.model;
  const { value, error, reload } = useRecordSchema(`${name}@${version}`);
  if (error !== null) return <ProblemNotice error={error} onRetry={reload} />;
  if (!value) return null;
  return <WhatIfPanel predictionId={answer.id} schema={value} original={answer} />;
}
