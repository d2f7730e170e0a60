import { ServiceError } from "../api/problem";
import { texts } from "../texts/en";
import "./problem.css";
import { forgetUnanswered, useUnanswered } from "./unanswered";

const t = texts.unanswered;

/** Cases that somebody left while they were predicted, and that got no answer; said until it is read. */
export function UnansweredNotices() {
  return useUnanswered().map((one, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: two of them may have the same number
    <section key={index} role="alert" className="problem unanswered">
      <h2>{t.title(one.reference)}</h2>
      <p>
        {titleOf(one.error)} {t.remedy}
      </p>
      <button type="button" onClick={() => forgetUnanswered(one)}>
        {t.read}
      </button>
    </section>
  ));
}

function titleOf(error: unknown): string {
  const code = error instanceof ServiceError ? error.code : "";
  return (texts.problems.byCode[code] ?? texts.problems.unknown).title;
}
