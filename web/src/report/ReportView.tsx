import { useMemo } from "react";
import { momentOnPaper } from "../app/moment";
import { hrefOf } from "../app/router";
import { CaseView } from "../result/CaseView";
import { Cautions } from "../result/Cautions";
import { Contributions } from "../result/Contributions";
import { Fact, ImageFacts } from "../result/ImageFacts";
import { Outcomes } from "../result/Outcomes";
import { ScoreLines } from "../result/Scores";
import { Statement } from "../result/Statement";
import { sourceOf } from "../result/source";
import type { Case } from "../result/useCase";
import { enteredFor, recordInputs, scoreInputs } from "../result/useScores";
import { texts } from "../texts/en";
import { Ramp } from "../viewer/OverlayControls";
import { placeWords } from "../viewer/places";
import { useStored } from "../viewer/StoredPicture";
import { FIRST_OVERLAY } from "../viewer/viewer";
import { windowWords } from "../viewer/windows";
import { PLANES, type Taking, usePictures } from "./usePictures";
import { usePrintTime } from "./usePrintTime";
import "../result/result.css";
import "../viewer/viewer.css";
import "./report.css";

const t = texts.report;

/** The answer on paper: black on white, whatever the theme. */
export default function ReportView({ id }: { id: string }) {
  return (
    <CaseView id={id} view="report">
      {(one) => <Report {...one} />}
    </CaseView>
  );
}

function Report({ answer, model, reference }: Case) {
  const taking = usePictures(useMemo(() => sourceOf(answer), [answer]));
  return (
    <div className="report-desk">
      <div className="report-tools">
        <a className="button" href={hrefOf({ view: "case", id: answer.id })}>
          {t.back}
        </a>
        <button
          type="button"
          className="primary"
          disabled={taking.state === "taking"}
          onClick={() => window.print()}
        >
          {t.print}
        </button>
        <span className="small quiet" role="status">
          {taking.state === "taking" ? t.drawing : t.ready}
        </span>
      </div>
      <article className="report" data-state={taking.state}>
        <h1>{model?.title ?? answer.model.name}</h1>
        <p className="report-disclaimer">
          <strong>{texts.result.use.title}.</strong> {answer.model.intended_use} {t.disclaimer}
        </p>
        <Identity answer={answer} reference={reference} />
        <Cautions answer={answer} model={model} hasUse={false} />
        <PictureRow taking={taking} picture={answer.heatmap?.png ?? null} />
        <Statement answer={answer} model={model} />
        <Outcomes answer={answer} model={model} />
        <Contributions answer={answer} model={model} />
        {answer.task === "gos" && <ScoresOnPaper answer={answer} />}
        <ImageFacts answer={answer} />
      </article>
    </div>
  );
}

function Identity({ answer, reference }: Pick<Case, "answer" | "reference">) {
  const { name, version, sha256, provider } = answer.model;
  const printed = usePrintTime();
  return (
    <dl className="facts report-identity">
      <Fact term={t.reference}>{reference ? <strong>{reference}</strong> : t.noReference}</Fact>
      <Fact term={t.prediction}>
        <code>{answer.id}</code>
      </Fact>
      <Fact term={t.answered}>{momentOnPaper(answer.created)}</Fact>
      <Fact term={t.printed}>{momentOnPaper(printed)}</Fact>
      <Fact term={texts.result.model.package}>{texts.result.model.version(name, version)}</Fact>
      <Fact term={texts.result.model.digest}>
        <code>{sha256}</code>
      </Fact>
      <Fact term={texts.result.model.provider}>
        {texts.result.model.computedBy(answer.release, provider)}
      </Fact>
    </dl>
  );
}

function PictureRow({ taking, picture }: { taking: Taking; picture: string | null }) {
  if (taking.state === "taking") return <p className="quiet">{t.drawing}</p>;
  if (taking.state === "failed") return <StoredRow error={taking.error} picture={picture} />;
  const { urls, place, window, hasHeatmap } = taking.pictures;
  return (
    <figure className="report-pictures">
      <div>
        {PLANES.map((plane) => (
          <img key={plane} src={urls[plane]} alt={t.plane(texts.viewer.layouts[plane], hasHeatmap)} />
        ))}
      </div>
      <figcaption>
        {place ? t.atPeak(placeWords(place), FIRST_OVERLAY.threshold) : t.inMiddle} {windowWords(window)}.{" "}
        {!hasHeatmap && (picture === null ? t.noHeatmap : texts.viewer.heatmapGone)}
        {place && (
          <>
            {texts.viewer.overlay.meaning} <Ramp colourMap={FIRST_OVERLAY.colourMap} />
          </>
        )}
      </figcaption>
    </figure>
  );
}

function StoredRow({ error, picture }: { error: unknown; picture: string | null }) {
  const { words, image } = useStored(error, picture);
  return (
    <figure className="report-stored">
      {image}
      <figcaption>{words}</figcaption>
    </figure>
  );
}

function ScoresOnPaper({ answer }: Pick<Case, "answer">) {
  const inputs = scoreInputs(recordInputs(answer), enteredFor(answer.id));
  return (
    <section className="panel" aria-labelledby="scores-title">
      <h2 id="scores-title">{texts.result.scores.title}</h2>
      <ScoreLines inputs={inputs} />
      <p className="small quiet">{t.scores}</p>
    </section>
  );
}
