import { useId } from "react";
import type { Answer, ModelDetail } from "../api/types";
import { Bar } from "../charts/Bar";
import { texts } from "../texts/en";
import { className } from "./classes";
import { percentWords } from "./frequencies";
import { percentsOf } from "./Statement";

const t = texts.result;

/** Every class with its probability, which of them are in the prediction set, and what the set means. */
export function Outcomes({ answer, model }: { answer: Answer; model: ModelDetail | null }) {
  const title = useId();
  const { prediction } = answer;
  const manifest = model?.manifest ?? null;
  const set = prediction.prediction_set;
  return (
    <section className="panel" aria-labelledby={title}>
      <h2 id={title}>{t.classes.title}</h2>
      <table className="classes">
        <thead className="visually-hidden">
          <tr>
            <th>{t.classes.columns.outcome}</th>
            <th>{t.classes.columns.probability}</th>
            <th>{t.classes.columns.inSet}</th>
          </tr>
        </thead>
        <tbody>
          {percentsOf(prediction, manifest?.outputs.favourable ?? []).map(([label, percent]) => (
            <tr key={label} data-in-set={set.includes(label)}>
              <th scope="row">
                {className(label, manifest)}
                {t.classes.meanings[label] && <small>{t.classes.meanings[label]}</small>}
              </th>
              <td className="classes-bar">
                <div>
                  <Bar share={prediction.probabilities[label] ?? 0} strong={set.includes(label)} />
                  <span className="classes-percent">{percentWords(percent)}</span>
                </div>
              </td>
              <td className="small quiet">{set.includes(label) ? t.classes.inSet : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>{t.set.title}</h3>
      <p>
        {set.length === 0
          ? t.set.empty
          : t.set.words(
              set.map((label) => className(label, manifest)).join("; "),
              Math.round(prediction.coverage * 100),
            )}
      </p>
    </section>
  );
}
