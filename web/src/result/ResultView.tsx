import { Suspense, useMemo, useState } from "react";
import { lazyPart } from "../app/lazy-part";
import { momentWords } from "../app/moment";
import { hrefOf } from "../app/router";
import { texts } from "../texts/en";
import { ViewerPanel } from "../viewer/ViewerPanel";
import { nameOf } from "../worklist/name";
import { CaseView } from "./CaseView";
import { Cautions } from "./Cautions";
import { Contributions } from "./Contributions";
import { ImageFacts } from "./ImageFacts";
import { ImageShare } from "./ImageShare";
import { ModelFacts } from "./ModelFacts";
import { Outcomes } from "./Outcomes";
import { Scores } from "./Scores";
import { Statement } from "./Statement";
import { sourceOf } from "./source";
import type { Case } from "./useCase";
import { useScores } from "./useScores";
import "./result.css";

const FeedbackDialog = lazyPart(async () => {
  const { FeedbackDialog } = await import("../worklist/FeedbackDialog");
  return { default: FeedbackDialog };
});
const WhatIf = lazyPart(() => import("../what-if/WhatIf"));

/** An answer as a clinician reads it: what limits it, how probable, why, from what. */
export default function ResultView({ id }: { id: string }) {
  return (
    <CaseView id={id} view="case">
      {(one) => <Result {...one} />}
    </CaseView>
  );
}

function Result({ answer, model, reference }: Case) {
  const source = useMemo(() => sourceOf(answer), [answer]);
  return (
    <div className="result">
      <Heading answer={answer} model={model} reference={reference} />
      <div className="result-image">
        <ViewerPanel source={source} picture={answer.heatmap?.png ?? null} takesFocus />
      </div>
      <div className="result-answer">
        <Cautions answer={answer} model={model} />
        <Statement answer={answer} model={model} />
        <Outcomes answer={answer} model={model} />
        <ImageShare answer={answer} />
        <Contributions answer={answer} model={model} />
        {answer.task === "gos" && <ScoresOf answer={answer} />}
      </div>
      <div className="result-more">
        <Suspense>
          <WhatIf answer={answer} />
        </Suspense>
        <ImageFacts answer={answer} />
        <ModelFacts answer={answer} model={model} />
      </div>
    </div>
  );
}

function Heading({ answer, model, reference }: Case) {
  const t = texts.result;
  return (
    <header className="result-heading">
      <div>
        <h1>{model?.title ?? t.title}</h1>
        <p>
          <strong>{nameOf({ reference, id: answer.id })}</strong>{" "}
          <span className="small quiet">{t.made(momentWords(answer.created))}</span>
        </p>
      </div>
      <nav aria-label={t.title}>
        <FeedbackButton answer={answer} name={nameOf({ reference, id: answer.id })} />
        <a className="button" href={hrefOf({ view: "report", id: answer.id })}>
          {t.report}
        </a>
        <a className="button" href={hrefOf({ view: "worklist", selected: answer.id })}>
          {t.compare}
        </a>
      </nav>
    </header>
  );
}

function FeedbackButton({ answer, name }: Pick<Case, "answer"> & { name: string }) {
  const [shown, setShown] = useState(false);
  const [saved, setSaved] = useState(false);
  const close = () => setShown(false);
  return (
    <>
      <span className="quiet" role="status">
        {saved && texts.feedback.saved}
      </span>
      <button
        type="button"
        onClick={() => {
          setShown(true);
          setSaved(false);
        }}
      >
        {texts.result.feedback}
      </button>
      {shown && (
        <Suspense>
          <FeedbackDialog
            item={answer}
            labels={Object.keys(answer.prediction.probabilities)}
            name={name}
            onClose={close}
            onSaved={() => {
              close();
              setSaved(true);
            }}
          />
        </Suspense>
      )}
    </>
  );
}

function ScoresOf({ answer }: Pick<Case, "answer">) {
  return <Scores {...useScores(answer)} />;
}
