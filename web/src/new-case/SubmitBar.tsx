import { type MouseEvent, useEffect, useState } from "react";
import { useFocusKept } from "../app/useFocusKept";
import { texts } from "../texts/en";
import type { PredictionState } from "./usePrediction";

const t = texts.newCase;

type Props = {
  reference: string;
  onReference: (reference: string) => void;
  state: PredictionState;
  /** Why it cannot be sent yet; empty where it can. */
  obstacle: string;
  /** What was found wrong when it was to be sent; empty where nothing was. */
  flaw: string;
  onPredict: () => void;
  onCancel: () => void;
};

/** The last step, always in sight: the case number, and the question put. */
export function SubmitBar({ reference, onReference, state, obstacle, flaw, onPredict, onCancel }: Props) {
  const isWorking = state.stage === "working";
  const said = useFocusKept<HTMLSpanElement>(isWorking);
  return (
    <div className="submit-bar">
      <div className="reference">
        <label htmlFor="reference">
          {t.reference.label} <span className="quiet">({t.reference.optional})</span>
        </label>
        <input
          id="reference"
          value={reference}
          maxLength={64}
          autoComplete="off"
          aria-describedby="reference-warning"
          onChange={(event) => onReference(event.target.value)}
        />
        <p id="reference-warning" className="quiet small">
          {t.reference.warning}
        </p>
      </div>
      <div className="submit-action">
        <span ref={said} className={isWorking ? "" : "quiet"} role="status" tabIndex={-1}>
          {isWorking ? t.submit.working : obstacle || flaw || wordsOf(state)}
        </span>
        {isWorking ? (
          <Working since={state.since} onCancel={onCancel} />
        ) : (
          <button type="button" className="primary" onClick={once(onPredict)} disabled={obstacle !== ""}>
            {t.submit.predict}
          </button>
        )}
      </div>
    </div>
  );
}

function wordsOf({ stage }: PredictionState): string {
  return stage === "cancelled" || stage === "outdated" ? t.submit[stage] : "";
}

function Working({ since, onCancel }: { since: number; onCancel: () => void }) {
  const seconds = useElapsed(since);
  return (
    <>
      <progress aria-label={t.submit.working} />
      <span className="quiet elapsed">{t.submit.elapsed(seconds)}</span>
      <button type="button" onClick={once(onCancel)}>
        {t.submit.cancel}
      </button>
    </>
  );
}

/** Predict and Cancel stand in the same place: the second click of a double click is not meant for the other one. */
function once(act: () => void) {
  return ({ detail: clicks }: MouseEvent) => {
    if (clicks < 2) act();
  };
}

function useElapsed(since: number): number {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, []);
  return Math.max(0, Math.round((now - since) / 1000));
}
