import type { ReactNode } from "react";
import { ProblemNotice } from "../app/ProblemNotice";
import { usePrintFoot } from "../app/print-foot";
import { useTitle } from "../app/title";
import { standingOf, useSession } from "../sign-in/session";
import { texts } from "../texts/en";
import { nameOf } from "../worklist/name";
import { type Case, useCase } from "./useCase";

type Props = { id: string; view: "case" | "report"; children: (one: Case) => ReactNode };

/** A case once it is here; until then that it is coming, or why it does not. */
export function CaseView({ id, view, children }: Props) {
  const { value, error, reload } = useCase(id);
  if (value) {
    return (
      <Named one={value} view={view}>
        {children(value)}
      </Named>
    );
  }
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

type NamedProps = { one: Case; view: Props["view"]; children: ReactNode };

/** Has tab and sheets say which case it is; not its number while whoever looked at it is signed out. */
function Named({ one: { answer, reference }, view, children }: NamedProps) {
  const isIn = standingOf(useSession()) === "in";
  useTitle(view, nameOf({ reference, id: answer.id }));
  usePrintFoot(texts.shell.foot(answer.id, isIn ? reference : null));
  return children;
}
