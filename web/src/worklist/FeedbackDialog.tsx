import { type FormEvent, useCallback, useState } from "react";
import { getModel } from "../api/models";
import type { Feedback, GivenFeedback, WorklistItem } from "../api/types";
import { getFeedback, putFeedback } from "../api/worklist";
import { Modal } from "../app/Modal";
import { ProblemNotice } from "../app/ProblemNotice";
import { useLoaded } from "../app/useLoaded";
import { className, type Manifest } from "../result/classes";
import { texts } from "../texts/en";
import { CaseInWords } from "./CaseInWords";
import { saidWords } from "./said";
import "./worklist.css";

const t = texts.feedback;
const REASON_LENGTH = 1000;

type Item = Pick<WorklistItem, "id" | "model" | "created">;
type Props = {
  item: Item /** The classes of the answer. */;
  labels: string[];
  name: string;
  onClose: () => void;
  onSaved: () => void;
};

/** A clinician's word on an answer, and later what truly came. */
export function FeedbackDialog({ item, labels, name, onClose, onSaved }: Props) {
  const { id, model } = item;
  const load = useCallback(
    async (signal: AbortSignal) => {
      const [feedback, detail] = await Promise.all([
        getFeedback(id, signal),
        getModel(model.name, model.version, signal).catch(() => null), // it may be gone, the outcome comes months later
      ]);
      return { feedback, manifest: detail?.manifest ?? null };
    },
    [id, model.name, model.version],
  );
  const { value, error, reload } = useLoaded(load);
  return (
    <Modal title={t.title(name)} onClose={onClose}>
      <CaseInWords item={item} />
      {error !== null && (
        <>
          <ProblemNotice error={error} onRetry={reload} />
          <div className="modal-actions">
            <button type="button" onClick={onClose}>
              {t.cancel}
            </button>
          </div>
        </>
      )}
      {value && <FeedbackForm id={id} labels={labels} {...value} onClose={onClose} onSaved={onSaved} />}
    </Modal>
  );
}

type FormProps = { id: string; feedback: Feedback; manifest: Manifest | null } & Pick<
  Props,
  "labels" | "onClose" | "onSaved"
>;

function FeedbackForm({ id, feedback, labels, manifest, onClose, onSaved }: FormProps) {
  const [given, setGiven] = useState<GivenFeedback>({
    agreement: feedback.agreement,
    reason: feedback.reason,
    outcome: feedback.outcome,
  });
  const [kept, setKept] = useState(feedback);
  const [error, setError] = useState<unknown>(null);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    try {
      const now = await getFeedback(id);
      // The dialog may have stood open for hours, and what is saved takes the place of all that was said.
      if (now.updated !== kept.updated) return setKept(now);
      await putFeedback(id, given);
      onSaved();
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <form className="feedback-form" onSubmit={save}>
      <Agreement
        value={given.agreement ?? null}
        onChange={(agreement) => setGiven({ ...given, agreement })}
      />
      <label>
        {t.reason} <span className="quiet small">{t.reasonHint}</span>
        <textarea
          rows={4}
          maxLength={REASON_LENGTH}
          value={given.reason ?? ""}
          onChange={(event) => setGiven({ ...given, reason: event.target.value || null })}
        />
      </label>
      <label>
        {t.outcome}
        <select
          value={given.outcome ?? ""}
          onChange={(event) => setGiven({ ...given, outcome: event.target.value || null })}
        >
          <option value="">{t.notKnown}</option>
          {labels.map((label) => (
            <option key={label} value={label}>
              {className(label, manifest)}
            </option>
          ))}
        </select>
      </label>
      {kept !== feedback && (
        <p role="alert" className="problem">
          {t.meanwhile(saidWords(kept.updated === null ? null : kept), kept.reason)}
        </p>
      )}
      {error !== null && <ProblemNotice error={error} />}
      <div className="modal-actions">
        <button type="button" onClick={onClose}>
          {t.cancel}
        </button>
        <button type="submit" className="primary">
          {t.save}
        </button>
      </div>
    </form>
  );
}

type AgreementProps = {
  value: Feedback["agreement"];
  onChange: (agreement: Feedback["agreement"]) => void;
};

function Agreement({ value, onChange }: AgreementProps) {
  const choices = [
    ["agree", t.agree],
    ["disagree", t.disagree],
    [null, t.undecided],
  ] as const;
  return (
    <fieldset className="agreement">
      <legend>{t.agreement}</legend>
      {choices.map(([agreement, words]) => (
        <label key={words}>
          <input
            type="radio"
            name="agreement"
            checked={value === agreement}
            onChange={() => onChange(agreement)}
          />
          {words}
        </label>
      ))}
    </fieldset>
  );
}
