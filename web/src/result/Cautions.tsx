import type { Answer, ModelDetail } from "../api/types";
import { texts } from "../texts/en";
import { featureTitle } from "./classes";
import { allTaken } from "./taken";

const t = texts.result.cautions;
/** Said in words of their own, or by the banner that is always in sight. */
const SAID_ELSEWHERE = new Set(["abstained", "out-of-distribution", "training-data"]);

type Props = {
  answer: Answer;
  model: ModelDetail | null;
  /** Whether to state the intended use here. */
  hasUse?: boolean;
  id?: string;
};

/** What limits the answer, before any number is read. */
export function Cautions({ answer, model, hasUse = true, id = "cautions-title" }: Props) {
  const { abstained, out_of_distribution: unlike } = answer.prediction;
  const others = answer.warnings.filter(({ code }) => !SAID_ELSEWHERE.has(code));
  const hasNone = !abstained && !unlike.flagged && others.length === 0;
  return (
    <section className="cautions" aria-labelledby={id}>
      <h2 id={id}>{t.title}</h2>
      {hasUse && (
        <p className="caution-use">
          <strong>{texts.result.use.title}.</strong> {answer.model.intended_use}
        </p>
      )}
      {abstained && <Caution title={t.abstained} words={t.abstainedWhy} grave />}
      {unlike.flagged && (
        <Caution
          title={t.outOfDistribution}
          words={t.outOfDistributionWhy(percent(unlike.score), percent(unlike.threshold))}
          grave
        />
      )}
      {others.map(({ code, detail }) => (
        <Caution
          key={code + detail}
          title={texts.findings[code] ?? code}
          words={code === "beyond-training" ? beyondWords(answer, model) || detail : detail}
        />
      ))}
      {hasNone && <p className="quiet">{t.none}</p>}
    </section>
  );
}

function Caution({ title, words, grave = false }: { title: string; words: string; grave?: boolean }) {
  return (
    <p className={grave ? "caution caution-grave" : "caution"}>
      <strong>{title}.</strong> {words}
    </p>
  );
}

/** As the service says it, but with the values, and in the units that clinicians write. */
function beyondWords({ ehr }: Answer, model: ModelDetail | null): string {
  const taken = allTaken(ehr, (name) => featureTitle(name, model?.manifest ?? null));
  return taken.length > 0 ? t.beyond(taken.join("; ")) : "";
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
