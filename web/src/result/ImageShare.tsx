import { useId } from "react";
import type { Answer } from "../api/types";
import { Bar } from "../charts/Bar";
import { texts } from "../texts/en";

const t = texts.result.share;

/** How much of the evidence was the image and how much the record; nothing of it where there was no record. */
export function ImageShare({ answer }: { answer: Answer }) {
  const title = useId();
  const image = Math.round(answer.ehr.image_share * 100);
  const hasRecord = answer.ehr.features.some(({ status }) => status !== "missing");
  return (
    <section className="panel" aria-labelledby={title}>
      <h2 id={title}>{t.title}</h2>
      {hasRecord && (
        <div className="share">
          <span aria-hidden="true">{t.image}</span>
          <Bar share={image / 100} label={t.bar(image)} strong />
          <span aria-hidden="true">{t.record}</span>
        </div>
      )}
      <p className="small quiet">{hasRecord ? t.words(image) : t.noRecord}</p>
    </section>
  );
}
