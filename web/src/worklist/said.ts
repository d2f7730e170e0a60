import type { Feedback } from "../api/types";
import { texts } from "../texts/en";

const t = texts.worklist;

/** What was said of an answer; null where nothing was. */
export function saidWords(feedback: Pick<Feedback, "agreement" | "outcome"> | null): string {
  const parts = [
    feedback?.agreement && t.agreement[feedback.agreement],
    feedback?.outcome && t.outcome(t.labelOf(feedback.outcome)),
  ];
  return parts.filter(Boolean).join(", ") || (feedback ? t.reasonOnly : t.noFeedback);
}
