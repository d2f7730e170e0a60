import { useId } from "react";
import type { Answer } from "../api/types";
import { Bar } from "../charts/Bar";
import { texts } from "../texts/en";

const t = texts.result.share;

/** How much of the evidence was the image and how much the record. */
export function ImageShare({ answer }: { answer: Answer }) {
  const title = useId();
  const image = Math.round(answer.ehr.image_share * 100);
  return (
    <section className="panel" aria-labelledby={title}>
      <h2 id={title}>{t.title}</h2>
      <div className="share">
        <span aria-hidden="true">{t.image}</span>
        <Bar share={image / 100} label={t.bar(image)} strong />
        <span aria-hidden="true">{t.record}</span>
      </div>
      <p className="small quiet">{t.words(image)}</p>
    </section>
  );
}
