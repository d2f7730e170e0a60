import { Suspense, useState } from "react";
import type { Answer, ModelDetail } from "../api/types";
import { lazyPart } from "../app/lazy-part";
import { texts } from "../texts/en";
import { Fact } from "./ImageFacts";

const t = texts.result.model;
const ModelCard = lazyPart(() => import("./ModelCard"));

/** What produced the answer, so that it can be traced, and its card. */
export function ModelFacts({ answer, model }: { answer: Answer; model: ModelDetail | null }) {
  const [shown, setShown] = useState(false);
  const { name, version, sha256, provider, intended_use } = answer.model;
  return (
    <section className="panel" aria-labelledby="model-title">
      <h2 id="model-title">{t.title}</h2>
      <dl className="facts">
        <Fact term={t.package}>{t.version(name, version)}</Fact>
        <Fact term={t.digest}>
          <code>{sha256}</code>
        </Fact>
        <Fact term={t.provider}>{t.computedBy(answer.release, provider)}</Fact>
        <Fact term={t.use}>{intended_use}</Fact>
        {model?.manifest && <Fact term={t.data}>{model.manifest.training_data}</Fact>}
        <Fact term={t.time}>{t.ms(answer.timing_ms.total)}</Fact>
      </dl>
      <button type="button" aria-expanded={shown} onClick={() => setShown(!shown)}>
        {shown ? t.hideCard : t.card}
      </button>
      {shown && (
        <Suspense fallback={<p className="quiet">{t.loading}</p>}>
          <ModelCard name={name} version={version} />
        </Suspense>
      )}
    </section>
  );
}
