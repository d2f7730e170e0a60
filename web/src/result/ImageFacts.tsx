import type { Answer } from "../api/types";
import { numberWords } from "../record/features";
import { texts } from "../texts/en";

const t = texts.result.image;

/** What was read, which series and why, and what was noticed. */
export function ImageFacts({ answer }: { answer: Answer }) {
  const { image } = answer;
  return (
    <section className="panel" aria-labelledby="image-title">
      <h2 id="image-title">{t.title}</h2>
      <dl className="facts">
        <Fact term={t.modality}>{image.modality}</Fact>
        <Fact term={t.size}>{image.shape.join(" × ")}</Fact>
        <Fact term={t.spacing}>{image.spacing_mm.map((mm) => numberWords(mm)).join(" × ")} mm</Fact>
        <Fact term={t.series}>{seriesWords(answer)}</Fact>
        {image.series && <Fact term={t.why}>{image.series.chosen.reason}</Fact>}
      </dl>
      <h3>{t.findings}</h3>
      {image.findings.length === 0 && <p className="quiet">{t.none}</p>}
      <ul className="findings">
        {image.findings.map(({ code, detail }) => (
          <li key={code + detail}>
            <strong>{texts.findings[code] ?? code}</strong>: {detail}
          </li>
        ))}
      </ul>
    </section>
  );
}

function seriesWords({ image: { series } }: Answer): string {
  if (!series) return t.nifti;
  const { number, slices } = series.chosen;
  const chosen = t.seriesWords(number === null ? t.unnumbered : t.numbered(number), slices);
  return series.others.length > 0 ? `${chosen}. ${t.others(series.others.length)}` : chosen;
}

export function Fact({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}
