import { type ReactNode, useEffect, useState } from "react";
import { texts } from "../texts/en";
import type { PredictionState } from "./usePrediction";

const t = texts.newCase;

type Props = {
  reference: string;
  onReference: (reference: string) => void;
  state: PredictionState;
  /** Why it cannot be sent yet; empty where it can. */
  obstacle: string;
  onPredict: () => void;
  onCancel: () => void;
};

/** The last step, always in sight: the case number, and the question put. */
export function SubmitBar({ reference, onReference, state, obstacle, onPredict, onCancel }: Props) {
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
        {state.stage === "working" ? (
          <Working since={state.since} onCancel={onCancel} />
        ) : (
          <Ready obstacle={obstacle} onPredict={onPredict}>
            {state.stage === "cancelled" && t.submit.cancelled}
          </Ready>
        )}
      </div>
    </div>
  );
}

function Ready({
  obstacle,
  onPredict,
  children,
}: {
  obstacle: string;
  onPredict: () => void;
  children: ReactNode;
}) {
  return (
    <>
      <span className="quiet" role="status">
        {obstacle || children}
      </span>
      <button type="button" className="primary" onClick={onPredict} disabled={obstacle !== ""}>
        {t.submit.predict}
      </button>
    </>
  );
}

function Working({ since, onCancel }: { since: number; onCancel: () => void }) {
  const seconds = useElapsed(since);
  return (
    <>
      <span role="status">{t.submit.working}</span>
      <progress aria-label={t.submit.working} />
      <span className="quiet elapsed">{t.submit.elapsed(seconds)}</span>
      <button type="button" onClick={onCancel}>
        {t.submit.cancel}
      </button>
    </>
  );
}

function useElapsed(since: number): number {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, []);
  return Math.max(0, Math.round((now - since) / 1000));
}
