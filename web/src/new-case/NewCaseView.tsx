import { useEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { listModels } from "../api/models";
import { ServiceError } from "../api/problem";
import type { ModelSummary } from "../api/types";
import { ProblemNotice } from "../app/ProblemNotice";
import { useLoaded } from "../app/useLoaded";
import { partOf, problemsOf, recordOf, withPart } from "../record/record";
import { useRecordSchema } from "../record/useRecordSchema";
import { texts } from "../texts/en";
import { EarlierNotice, focusOnEarlier } from "./EarlierNotice";
import { ImagePanel } from "./ImagePanel";
import { Question, referenceOf } from "./Question";
import { focusOn, focusOnRecord, RecordForm, type RecordFormHandle } from "./RecordForm";
import { refusedFeatures } from "./refused";
import { SubmitBar } from "./SubmitBar";
import { useEntered } from "./useEntered";
import { type ImageHandle, useImage } from "./useImage";
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
  const entered = useEntered();
  const { reference, isDoubtful } = entered;
  const [flaw, setFlaw] = useState("");
  const form = useRef<RecordFormHandle>(null);
  const image = useImage(chosen);
  const prediction = usePrediction();
  const { value: schema, error: schemaError, reload } = useRecordSchema(chosen);
  const part = schema ? partOf(entered.record, schema) : {};
  const record = recordOf(part);
  const upload = image.state.stage === "ready" ? image.state.upload.id : null;

  const { outdate, forgive } = prediction;
  const question = JSON.stringify([chosen, upload, record, reference]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever makes another case of it
  useEffect(() => {
    outdate();
    setFlaw("");
  }, [question, isDoubtful, outdate]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question or image is not to blame
  useEffect(forgive, [chosen, upload, forgive]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `question` changes with the record
  const refused = useMemo(() => refusedFeatures(prediction.state, record), [prediction.state, question]);

  const predict = () => {
    if (upload === null || chosen === null || schema === null) return;
    if (isDoubtful) {
      setFlaw(texts.newCase.earlier.first);
      return focusOnEarlier();
    }
    form.current?.validateForm(); // marks what is wrong
    const [wrong] = problemsOf(record, schema);
    if (wrong) {
      const [feature, words] = wrong;
      setFlaw(feature ? texts.newCase.submit.needsRecord : words);
      return focusOn(feature);
    }
    prediction.ask({ upload, model: askedFor(models, chosen), record, reference });
  };
  const take: ImageHandle["take"] = (files) => {
    entered.onImage();
    image.take(files);
  };
  const answered = (act: () => void) => () => {
    flushSync(act); // the button goes, and the focus with it
    focusOnRecord();
  };
  const error = prediction.state.stage === "failed" ? prediction.state.error : null;
  return (
    <>
      <div className="new-case-columns">
        <div className="column">
          <Question models={models} chosen={chosen} onChoose={setChosen} />
          <ImagePanel image={{ ...image, take }} />
        </div>
        <div className="column">
          {isDoubtful && <EarlierNotice onKeep={answered(entered.keep)} onClear={answered(entered.clear)} />}
          {schemaError !== null && <ProblemNotice error={schemaError} onRetry={reload} />}
          {schema && (
            <RecordForm
              key={`${chosen} ${entered.round}`}
              schema={schema}
              record={part}
              onChange={(changed) => entered.fill((before) => withPart(before, schema, changed))}
              refused={refused}
              handle={form}
            />
          )}
        </div>
      </div>
      {error !== null && <PredictionProblem error={error} onPredict={predict} onSendAgain={image.again} />}
      <SubmitBar
        reference={reference}
        onReference={entered.refer}
        state={prediction.state}
        obstacle={obstacleOf(upload, schema)}
        flaw={flaw}
        onPredict={predict}
        onCancel={prediction.cancel}
      />
    </>
  );
}

function obstacleOf(upload: string | null, schema: object | null): string {
  if (upload === null) return texts.newCase.submit.needsImage;
  return schema === null ? texts.newCase.submit.needsFields : "";
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

type ProblemProps = { error: unknown; onPredict: () => void; onSendAgain: () => void };

function PredictionProblem({ error, onPredict, onSendAgain }: ProblemProps) {
  const isGone = error instanceof ServiceError && error.code === "unknown-upload";
  return isGone ? (
    <ProblemNotice error={error} onRetry={onSendAgain} retryLabel={texts.newCase.submit.again} />
  ) : (
    <ProblemNotice error={error} onRetry={onPredict} />
  );
}
