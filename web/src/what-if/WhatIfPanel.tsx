import { useMemo, useState } from "react";
import { ServiceError } from "../api/problem";
import type { Answer } from "../api/types";
import { ProblemNotice } from "../app/ProblemNotice";
import { featuresOf, type RecordSchema } from "../record/features";
import { texts } from "../texts/en";
import { Comparison } from "./Comparison";
import { CurvePanel } from "./CurvePanel";
import { FeatureControl } from "./FeatureControl";
import { isSame, recordInModelUnits, withFeature } from "./record";
import { useWhatIf } from "./useWhatIf";
import "./what-if.css";

const t = texts.whatIf;

export type WhatIfProps = {
  predictionId: string;
  /** `GET /models/{name}/ehr-schema` of the package that answered. */
  schema: RecordSchema;
  /** Its record, in the model's units, is where the sliders begin. */
  original: Pick<Answer, "prediction" | "ehr">;
};

/** The same image with another record: what would change the answer, and by how much. */
export function WhatIfPanel({ predictionId, schema, original }: WhatIfProps) {
  const features = useMemo(() => featuresOf(schema), [schema]);
  const start = useMemo(() => recordInModelUnits(original.ehr), [original.ehr]);
  const [record, setRecord] = useState(start);
  const isChanged = !isSame(record, start);
  const asked = useWhatIf(predictionId, record, isChanged);
  const [curveError, setCurveError] = useState<unknown>(null);
  const { error } = asked;
  return (
    <section className="panel what-if" aria-labelledby="what-if-title">
      <header className="what-if-head">
        <div>
          <h2 id="what-if-title">{t.title}</h2>
          <p className="quiet small">{t.explain}</p>
        </div>
        <button type="button" disabled={!isChanged} onClick={() => setRecord(start)}>
          {t.reset}
        </button>
      </header>
      {isExpired(error) || isExpired(curveError) ? (
        <p role="alert">{t.expired}</p>
      ) : (
        <>
          <Comparison original={original} asked={asked} isChanged={isChanged} features={features} />
          {error !== null && <ProblemNotice error={error} onRetry={asked.again} />}
          <div className="what-if-controls">
            <p className="control-heading quiet small" aria-hidden="true">
              {t.knownHeading}
            </p>
            {features.map((feature) => (
              <FeatureControl
                key={feature.name}
                feature={feature}
                value={record[feature.name]}
                original={start[feature.name]}
                onChange={(value) => setRecord((before) => withFeature(before, feature.name, value))}
              />
            ))}
          </div>
          <CurvePanel
            predictionId={predictionId}
            features={features}
            record={record}
            onError={setCurveError}
          />
        </>
      )}
    </section>
  );
}

function isExpired(error: unknown): boolean {
  return error instanceof ServiceError && error.code === "case-expired";
}
