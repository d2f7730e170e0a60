import type { ReactNode } from "react";
import { ProblemNotice } from "../app/ProblemNotice";
import { texts } from "../texts/en";
import { type Case, useCase } from "./useCase";

/** A case once it is here; until then that it is coming, or why it does not. */
export function CaseView({ id, children }: { id: string; children: (one: Case) => ReactNode }) {
  const { value, error, reload } = useCase(id);
  if (value) return children(value);
  return (
    <div className="pad">
      {error ? (
        <ProblemNotice error={error} onRetry={reload} />
      ) : (
        <p className="quiet">{texts.result.loading}</p>
      )}
    </div>
  );
}
