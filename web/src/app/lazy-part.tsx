import { type FunctionComponent, lazy } from "react";
import { ServiceError } from "../api/problem";
import { texts } from "../texts/en";
import { ProblemNotice } from "./ProblemNotice";

/** A part of a view in a chunk of its own. Where that does not come, it is said in its place, and the view goes on without. */
export function lazyPart<P>(load: () => Promise<{ default: FunctionComponent<P> }>) {
  return lazy(() => load().catch(() => ({ default: PartMissing as FunctionComponent<P> })));
}

function PartMissing() {
  return (
    <ProblemNotice
      error={new ServiceError("part-missing", 0)}
      onRetry={() => window.location.reload()}
      retryLabel={texts.shell.reload}
    />
  );
}
