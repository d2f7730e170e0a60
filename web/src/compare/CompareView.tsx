import { useEffect, useMemo, useState } from "react";
import { momentWords } from "../app/moment";
import { ProblemNotice } from "../app/ProblemNotice";
import { usePrintFoot } from "../app/print-foot";
import { hrefOf } from "../app/router";
import { useTitle } from "../app/title";
import { Cautions } from "../result/Cautions";
import { ImageShare } from "../result/ImageShare";
import { Outcomes } from "../result/Outcomes";
import { Statement } from "../result/Statement";
import { sourceOf } from "../result/source";
import { type Case, useCase } from "../result/useCase";
import { standingOf, useSession } from "../sign-in/session";
import { texts } from "../texts/en";
import type { Open } from "../viewer/useViewer";
import { ViewerPanel } from "../viewer/ViewerPanel";
import { nameOf } from "../worklist/name";
import { FeatureComparison } from "./FeatureComparison";
import { link } from "./link";
import "../result/result.css";
import "./compare.css";

const t = texts.compare;

/** Two cases side by side; their crosshairs go together by the scanner's coordinates. */
export default function CompareView({ left, right }: { left: string; right: string }) {
  const first = useCase(left);
  const second = useCase(right);
  const [isLinked, setLinked] = useState(true);
  const [openLeft, setOpenLeft] = useState<Open | null>(null);
  const [openRight, setOpenRight] = useState<Open | null>(null);
  const isIn = standingOf(useSession()) === "in";
  const [one, other] = [first, second].map(({ value }) => value && nameIn(value));
  useTitle("compare", one && other ? `${one}, ${other}` : "");
  usePrintFoot(
    texts.shell.footOfTwo((isIn && one) || nameOf({ id: left }), (isIn && other) || nameOf({ id: right })),
  );
  useEffect(() => {
    if (isLinked && openLeft && openRight) return link(openLeft.viewer, openRight.viewer);
  }, [isLinked, openLeft, openRight]);
  return (
    <div className="compare">
      <header className="compare-heading">
        <h1>{t.title}</h1>
        <label>
          <input type="checkbox" checked={isLinked} onChange={(event) => setLinked(event.target.checked)} />
          {t.linked}
        </label>
        <p className="small quiet">{t.about}</p>
      </header>
      <Side title={t.left} loaded={first} onOpen={setOpenLeft} />
      <Side title={t.right} loaded={second} onOpen={setOpenRight} />
      {first.value && second.value && <FeatureComparison left={first.value} right={second.value} />}
    </div>
  );
}

const nameIn = ({ answer: { id }, reference }: Case) => nameOf({ reference, id });

type SideProps = { title: string; loaded: ReturnType<typeof useCase>; onOpen: (open: Open | null) => void };

function Side({ title, loaded, onOpen }: SideProps) {
  return (
    <section className="compare-side" aria-label={title}>
      {loaded.value && <SideOf title={title} shown={loaded.value} onOpen={onOpen} />}
      {loaded.error !== null && <ProblemNotice error={loaded.error} onRetry={loaded.reload} />}
      {loaded.pending && <p className="quiet">{texts.result.loading}</p>}
    </section>
  );
}

function SideOf({
  title,
  shown,
  onOpen,
}: {
  title: string;
  shown: Case;
  onOpen: (open: Open | null) => void;
}) {
  const { answer, model } = shown;
  const source = useMemo(() => sourceOf(answer), [answer]);
  return (
    <>
      <h2>
        {title}: <a href={hrefOf({ view: "case", id: answer.id })}>{model?.title ?? answer.model.name}</a>
      </h2>
      <p>
        <strong>{nameIn(shown)}</strong>{" "}
        <span className="small quiet">{texts.result.made(momentWords(answer.created))}</span>
      </p>
      <ViewerPanel source={source} picture={answer.heatmap?.png ?? null} onOpen={onOpen} />
      <Cautions answer={answer} model={model} id={`cautions-${answer.id}`} />
      <Statement answer={answer} model={model} />
      <Outcomes answer={answer} model={model} />
      <ImageShare answer={answer} />
    </>
  );
}
