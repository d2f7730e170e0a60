import { ServiceError } from "../api/problem";
import type { Answer, Contribution, ModelDetail } from "../api/types";
import { DivergingBar } from "../charts/DivergingBar";
import { texts } from "../texts/en";
import { featureTitle, valueWords } from "./classes";
import { type Effect, effectsOf, measureOf, scaleOf } from "./contributions";
import { takenWords } from "./taken";
import { useContributions } from "./useContributions";

const t = texts.result.contributions;

type Props = { answer: Answer; model: ModelDetail | null };

/** Every feature with its value, its unit, what became of it, and what knowing it changed. */
export function Contributions({ answer, model }: Props) {
  const contributions = useContributions(answer);
  const manifest = model?.manifest ?? null;
  const missing = answer.ehr.features.filter(({ status }) => status === "missing");
  const hasKnown = missing.length < answer.ehr.features.length;
  const measure = measureOf(answer.prediction, manifest);
  return (
    <section className="panel" aria-labelledby="contributions-title">
      <h2 id="contributions-title">{t.title}</h2>
      {hasKnown ? (
        <FeatureTable {...{ answer, model, measure }} contributions={contributions.value} />
      ) : (
        <p>{t.nothing}</p>
      )}
      {hasKnown && (
        <p className="small quiet" role="status">
          {contributions.pending ? t.computing : noteOf(contributions.error, measure)}
        </p>
      )}
      {missing.length > 0 && (
        <p className="small quiet">
          {t.missing(missing.map(({ name }) => featureTitle(name, manifest)).join(", "))}
        </p>
      )}
    </section>
  );
}

function noteOf(error: unknown, measure: string): string {
  if (error === null) return t.about(measure);
  const isGone = error instanceof ServiceError && (error.code === "case-expired" || error.status === 404);
  return isGone ? t.expired : t.failed;
}

type TableProps = Props & { measure: string; contributions: Contribution[] | null };

function FeatureTable({ answer, model, measure, contributions }: TableProps) {
  const effects = effectsOf(contributions ?? []);
  const scale = scaleOf(effects);
  const order = new Map(effects.map(({ name }, index) => [name, index]));
  const known = answer.ehr.features
    .filter(({ status }) => status !== "missing")
    .sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
  return (
    <table className="features">
      <thead>
        <tr>
          <th>{t.columns.feature}</th>
          <th className="number">{t.columns.value}</th>
          {contributions && <th>{t.columns.effect}</th>}
        </tr>
      </thead>
      <tbody>
        {known.map(({ name, value, unit, status, taken_as }) => (
          <tr key={name}>
            <th scope="row">{featureTitle(name, model?.manifest ?? null)}</th>
            <td className="number">
              {valueWords(value, unit)}
              {status === "converted" && <small>{t.converted}</small>}
              {taken_as != null && <small>{takenWords({ taken_as, unit })}</small>}
            </td>
            {contributions && (
              <EffectCell
                effect={effects.find((each) => each.name === name)}
                scale={scale}
                measure={measure}
              />
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type CellProps = { effect: Effect | undefined; scale: number; measure: string };

function EffectCell({ effect, scale, measure }: CellProps) {
  if (effect === undefined) return <td />;
  const words = t.effect(effect.direction, effect.points, measure);
  return (
    <td className="features-effect" title={words}>
      <DivergingBar value={effect.share / scale} />
      <span aria-hidden="true">{signed(effect)}</span>
      <span className="visually-hidden">{words}</span>
    </td>
  );
}

function signed({ direction, points }: Effect): string {
  if (direction === "none") return t.small;
  return `${direction === "raises" ? "+" : "−"}${points}`;
}
