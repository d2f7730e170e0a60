import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { type Problem, ServiceError } from "../api/problem";
import { texts } from "../texts/en";
import "./problem.css";

type Props = {
  error: unknown;
  /** Offered as a button, once the time that the service asked to wait is over. */
  onRetry?: (() => void) | undefined;
  retryLabel?: string | undefined;
};

/** An error in words: what happened, what the service says, and what to do. */
export function ProblemNotice({ error, onRetry, retryLabel = texts.problems.retry }: Props) {
  const known = error instanceof ServiceError ? error : null;
  const { title, remedy } = texts.problems.byCode[known?.code ?? ""] ?? texts.problems.unknown;
  const waiting = useCountdown(known);
  const notice = useRef<HTMLDivElement>(null);
  useFocusPassedOn(notice);
  return (
    <div ref={notice} role="alert" className="problem" data-code={known?.code ?? "unknown"}>
      <h2>{title}</h2>
      <p>{remedy}</p>
      {known?.problem && <Details problem={known.problem} />}
      {onRetry && (
        <button type="button" onClick={onRetry} disabled={waiting > 0}>
          {waiting > 0 ? texts.problems.retryIn(waiting) : retryLabel}
        </button>
      )}
    </div>
  );
}

function Details({ problem }: { problem: Problem }) {
  const features = featureProblems(problem);
  return (
    <div className="problem-details">
      <p>
        <span className="quiet">{texts.problems.detail}</span> {problem.detail}
      </p>
      {features.length > 0 && (
        <ul aria-label={texts.problems.fields}>
          {features.map(({ name, problem: what }) => (
            <li key={name}>
              <code>{name}</code> {what}
            </li>
          ))}
        </ul>
      )}
      <p className="quiet small">
        {texts.problems.request} {problem.request_id}
      </p>
    </div>
  );
}

/** What `ehr-invalid` says of single features. */
export function featureProblems(problem: Problem | null): { name: string; problem: string }[] {
  const features = problem?.features;
  return Array.isArray(features) ? features : [];
}

/** The notice goes as its button is pressed, and the focus with it: what it stood in gets it, unless something else does. */
function useFocusPassedOn(notice: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const shown = notice.current;
    return () => {
      if (!shown?.contains(document.activeElement)) return;
      const around = shown.closest<HTMLElement>("section, dialog, main");
      setTimeout(() => {
        if (around === null || document.activeElement !== document.body) return;
        around.tabIndex = -1;
        around.focus({ preventScroll: true });
      });
    };
  }, [notice]);
}

/** Seconds that are left to wait; the service's own figure, counted down. */
function useCountdown(error: ServiceError | null): number {
  const [left, setLeft] = useState(error?.retryAfterS ?? 0);
  useEffect(() => {
    setLeft(error?.retryAfterS ?? 0);
    if (!error?.retryAfterS) return;
    const ticking = setInterval(() => setLeft((seconds) => Math.max(0, seconds - 1)), 1000);
    return () => clearInterval(ticking);
  }, [error]);
  return left;
}
