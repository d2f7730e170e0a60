import { useEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { ServiceError } from "../api/problem";
import type { ModelSummary } from "../api/types";
import { ProblemNotice } from "../app/ProblemNotice";
import { partOf, problemsOf, sentRecord, withPart } from "../record/record";
import { useRecordSchema } from "../record/useRecordSchema";
import { texts } from "../texts/en";
import { EarlierNotice, focusOnEarlier } from "./EarlierNotice";
import { ImagePanel } from "./ImagePanel";
import { Question, referenceOf } from "./Question";
import { focusOn, focusOnRecord, RecordForm, type RecordFormHandle } from "./RecordForm";
import { refusedFeatures } from "./refused";
import { SubmitBar } from "./SubmitBar";
import { hasValues, useEntered } from "./useEntered";
import { type ImageHandle, type ImageState, useImage } from "./useImage";
import { useModels } from "./useModels";
import { usePrediction } from "./usePrediction";
import { useUnsent } from "./useUnsent";
import "./new-case.css";

/** A case from its files and its record to the question put to the service. */
export default function NewCaseView() {
  const models = useModels();
  return (
    <div className="new-case">
      <h1>{texts.newCase.title}</h1>
      {models.error !== null && <ProblemNotice error={models.error} onRetry={models.reload} />}
      {models.value === null && models.pending && <p className="quiet">{texts.shell.loading}</p>}
      {models.value && <CaseForm models={models.value} />}
    </div>
  );
}

function CaseForm({ models }: { models: ModelSummary[] }) {
  const [chosen, setChosen] = useState(firstReady(models));
  useEffect(() => setChosen((before) => before ?? firstReady(models)), [models]);
  const entered = useEntered();
  const { reference, isDoubtful } = entered;
  const [flaw, setFlaw] = useState("");
  const form = useRef<RecordFormHandle>(null);
  const image = useImage(chosen);
  const prediction = usePrediction();
  const { value: schema, error: schemaError, reload } = useRecordSchema(chosen);
  const part = schema ? partOf(entered.record, schema) : {};
  const record = schema ? sentRecord(part, schema) : {};
  const upload = image.state.stage === "ready" ? image.state.upload.id : null;

  const isEntered = hasValues(entered) || image.state.stage !== "empty";
  useUnsent(isEntered, prediction.state.stage === "working");
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
    const [wrong] = problemsOf(part, schema);
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
        obstacle={obstacleOf(image.state.stage, schema)}
        flaw={flaw}
        onPredict={predict}
        onCancel={prediction.cancel}
      />
    </>
  );
}

function obstacleOf(stage: ImageState["stage"], schema: object | null): string {
  const t = texts.newCase.submit;
  if (stage === "gathering" || stage === "sending") return t.awaitsImage;
  if (stage !== "ready") return t.needsImage;
  return schema === null ? t.needsFields : "";
}

/** The version that a bare name means is asked by that name, so that a canary gets its share; the answer says who gave it. */
function askedFor(models: ModelSummary[], chosen: string): string {
  const model = models.find((each) => referenceOf(each) === chosen);
  return model?.default ? model.name : chosen;
}

/** None while packages are being loaded: which is ready first says nothing of what is to be asked. */
function firstReady(models: ModelSummary[]): string | null {
  if (models.some(({ state }) => state === "loading")) return null;
  const isReady = models.filter(({ state }) => state === "ready");
  const meant = isReady.filter((model) => model.default);
  const ready = meant.length > 0 ? meant : isReady;
  // The outcome after haemorrhage is the more urgent question; of a package, the latest version.
  const first = ready.filter(({ task }) => task === "gos").at(-1) ?? ready.at(-1);
  return first ? referenceOf(first) : null;
}

type ProblemProps = { error: unknown; onPredict: () => void; onSendAgain: () => void };

/** Brought into view: it stands below a form that is longer than a screen. */
function PredictionProblem({ error, onPredict, onSendAgain }: ProblemProps) {
  const place = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another error is to be seen, too
  useEffect(() => place.current?.focus(), [error]);
  const isGone = error instanceof ServiceError && error.code === "unknown-upload";
  return (
    <div ref={place} className="prediction-problem" tabIndex={-1}>
      {isGone ? (
        <ProblemNotice error={error} onRetry={onSendAgain} retryLabel={texts.newCase.submit.again} />
      ) : (
        <ProblemNotice error={error} onRetry={onPredict} />
      )}
    </div>
  );
}
