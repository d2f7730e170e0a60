import { useCallback, useMemo, useRef, useState } from "react";
import { getRecordSchema, listModels } from "../api/models";
import { ServiceError } from "../api/problem";
import type { ModelSummary } from "../api/types";
import { featureProblems, ProblemNotice } from "../app/ProblemNotice";
import { useLoaded } from "../app/useLoaded";
import type { RecordSchema } from "../record/features";
import { type FormRecord, recordOf } from "../record/record";
import { texts } from "../texts/en";
import { ImagePanel } from "./ImagePanel";
import { Question, referenceOf } from "./Question";
import { RecordForm, type RecordFormHandle } from "./RecordForm";
import { SubmitBar } from "./SubmitBar";
import { useImage } from "./useImage";
import { usePrediction } from "./usePrediction";
import "./new-case.css";

/** A case from its files and its record to the question put to the service. */
export default function NewCaseView() {
  const models = useLoaded(listModels);
  return (
    <div className="new-case">
      <h1>{texts.newCase.title}</h1>
      {models.error !== null && <ProblemNotice error={models.error} onRetry={models.reload} />}
      {models.value && <CaseForm models={inService(models.value)} />}
    </div>
  );
}

function CaseForm({ models }: { models: ModelSummary[] }) {
  const [chosen, setChosen] = useState(firstReady(models));
  const [record, setRecord] = useState<FormRecord>({});
  const [reference, setReference] = useState("");
  const form = useRef<RecordFormHandle>(null);
  const image = useImage(chosen);
  const prediction = usePrediction();
  const name = chosen?.split("@")[0] ?? null;

  const predict = () => {
    if (image.state.stage !== "ready" || !chosen || !form.current?.validateForm()) return;
    const model = askedFor(models, chosen);
    prediction.ask({ upload: image.state.upload.id, model, record: recordOf(record), reference });
  };
  const choose = (reference: string) => {
    setChosen(reference);
    prediction.clear();
  };
  const error = prediction.state.stage === "failed" ? prediction.state.error : null;
  return (
    <>
      <div className="new-case-columns">
        <div className="column">
          <Question models={models} chosen={chosen} onChoose={choose} />
          <ImagePanel image={image} />
        </div>
        <div className="column">
          {name && <RecordOf key={name} name={name} {...{ record, setRecord, form, error }} />}
        </div>
      </div>
      {error !== null && <PredictionProblem error={error} onPredict={predict} onSendAgain={image.again} />}
      <SubmitBar
        reference={reference}
        onReference={setReference}
        state={prediction.state}
        obstacle={image.state.stage === "ready" ? "" : texts.newCase.submit.needsImage}
        onPredict={predict}
        onCancel={prediction.cancel}
      />
    </>
  );
}

/** What was taken out of service is listed for operators, not for clinicians. */
function inService(models: ModelSummary[]): ModelSummary[] {
  return models.filter(({ state }) => state !== "unloaded");
}

/** The version that a bare name means is asked by that name, so that a canary gets its share; the answer says who gave it. */
function askedFor(models: ModelSummary[], chosen: string): string {
  const model = models.find((each) => referenceOf(each) === chosen);
  return model?.default ? model.name : chosen;
}

function firstReady(models: ModelSummary[]): string | null {
  const isReady = models.filter(({ state }) => state === "ready");
  const meant = isReady.filter((model) => model.default);
  const ready = meant.length > 0 ? meant : isReady;
  // The outcome after haemorrhage is the more urgent question; of a package, the latest version.
  const first = ready.filter(({ task }) => task === "gos").at(-1) ?? ready.at(-1);
  return first ? referenceOf(first) : null;
}

type RecordProps = {
  name: string;
  record: FormRecord;
  setRecord: (record: FormRecord) => void;
  form: React.Ref<RecordFormHandle>;
  error: unknown;
};

function RecordOf({ name, record, setRecord, form, error }: RecordProps) {
  const load = useCallback((signal: AbortSignal) => getRecordSchema(name, signal), [name]);
  const loaded = useLoaded(load);
  const refused = useMemo(() => refusedFeatures(error), [error]);
  const schema = loaded.value as RecordSchema | null;
  if (loaded.error !== null) return <ProblemNotice error={loaded.error} onRetry={loaded.reload} />;
  if (!schema) return null;
  return (
    <RecordForm
      schema={schema}
      record={known(record, schema)}
      onChange={setRecord}
      refused={refused}
      handle={form}
    />
  );
}

/** What another question asked too stays filled in; the rest of it is not a part of this record. */
function known(record: FormRecord, schema: RecordSchema): FormRecord {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name in (schema.properties ?? {})));
}

function refusedFeatures(error: unknown): Map<string, string> {
  const problem = error instanceof ServiceError ? error.problem : null;
  return new Map(featureProblems(problem).map((feature) => [feature.name, feature.problem]));
}

type ProblemProps = { error: unknown; onPredict: () => void; onSendAgain: () => void };

function PredictionProblem({ error, onPredict, onSendAgain }: ProblemProps) {
  const isGone = error instanceof ServiceError && error.code === "unknown-upload";
  return isGone ? (
    <ProblemNotice error={error} onRetry={onSendAgain} retryLabel={texts.newCase.submit.again} />
  ) : (
    <ProblemNotice error={error} onRetry={onPredict} />
  );
}
