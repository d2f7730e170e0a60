import type { Finding, ImageUsed, SeriesSeen, Upload } from "../api/types";
import { overviewUrl } from "../api/uploads";
import { numberWords } from "../record/features";
import { texts } from "../texts/en";

const t = texts.newCase.preview;

/** What the service recognised, before anything is asked of it. */
export function Preview({ upload: { id, image, warnings } }: { upload: Upload }) {
  const limiting = new Set(warnings.map(({ code }) => code));
  return (
    <section className="preview" aria-label={t.title}>
      <p className="visually-hidden" role="status">
        {t.title}: {image.modality}
      </p>
      <figure>
        <img src={overviewUrl(id)} alt={t.overview} />
        <figcaption className="quiet small">{t.overview}</figcaption>
      </figure>
      <Facts image={image} />
      <Series image={image} />
      <Findings findings={image.findings} limiting={limiting} />
    </section>
  );
}

function Facts({ image: { modality, shape, spacing_mm, orientation } }: { image: ImageUsed }) {
  const extent = shape.map((size, axis) => Math.round(size * (spacing_mm[axis] ?? 0)));
  const axes = [...orientation].map((letter) => t.axes[letter] ?? letter).join(", ");
  return (
    <dl className="preview-facts">
      <Fact name={t.modality}>{modality}</Fact>
      <Fact name={t.size}>{shape.join(" × ")}</Fact>
      <Fact name={t.spacing}>{spacing_mm.map(numberWords).join(" × ")} mm</Fact>
      <Fact name={t.extent}>{extent.join(" × ")} mm</Fact>
      <Fact name={t.orientation}>
        <abbr title={axes}>{orientation}</abbr> <span className="quiet">{axes}</span>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Series({ image: { series } }: { image: ImageUsed }) {
  if (!series) return <p className="quiet">{t.nifti}</p>;
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">{t.seriesChosen}</caption>
        <thead>
          <tr>
            <th className="number">{t.columns.series}</th>
            <th>{t.columns.kind}</th>
            <th className="number">{t.columns.slices}</th>
            <th className="number">{t.columns.gap}</th>
            <th>{t.columns.why}</th>
          </tr>
        </thead>
        <tbody>
          <SeriesRow series={series.chosen} isChosen />
          {series.others.length > 0 && (
            <tr>
              <th colSpan={5}>{t.seriesOthers(series.others.length)}</th>
            </tr>
          )}
          {series.others.map((other, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a series number may repeat, and the list never changes
            <SeriesRow key={index} series={other} isChosen={false} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SeriesRow({ series, isChosen }: { series: SeriesSeen; isChosen: boolean }) {
  const gap = typeof series.gap_mm === "number" ? `${numberWords(series.gap_mm)} mm` : "–";
  return (
    <tr data-chosen={isChosen}>
      <td className="number">{series.number ?? "–"}</td>
      <td>{kindOf(series)}</td>
      <td className="number">{series.slices}</td>
      <td className="number">{gap}</td>
      <td>{series.reason}</td>
    </tr>
  );
}

function kindOf({ modality, plane, kernel, weighting, has_contrast_agent }: SeriesSeen): string {
  const parts = [
    modality,
    t.weighting[weighting],
    plane,
    t.kernel[kernel],
    has_contrast_agent ? t.contrast : null,
  ];
  return parts.filter(Boolean).join(", ");
}

function Findings({ findings, limiting }: { findings: Finding[]; limiting: Set<string> }) {
  if (findings.length === 0) return <p className="quiet">{t.noFindings}</p>;
  return (
    <div>
      <h3>{t.findings}</h3>
      <ul className="preview-findings">
        {findings.map(({ code, detail }) => (
          <li key={code} data-limits={limiting.has(code)}>
            <strong>{texts.findings[code] ?? code}</strong>
            {limiting.has(code) && <span className="preview-limits">{t.limits}</span>}
            <span className="quiet">{detail}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
