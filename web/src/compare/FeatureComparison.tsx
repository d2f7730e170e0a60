import type { Answer } from "../api/types";
import { featureTitle, valueWords } from "../result/classes";
import type { Case } from "../result/useCase";
import { texts } from "../texts/en";

const t = texts.compare;

/** Both records, feature by feature; where they differ stands out. */
export function FeatureComparison({ left, right }: { left: Case; right: Case }) {
  const names = [
    ...new Set([left, right].flatMap(({ answer }) => answer.ehr.features.map(({ name }) => name))),
  ];
  return (
    <section className="panel compare-features" aria-labelledby="compare-features">
      <h2 id="compare-features">{t.records}</h2>
      <div className="table-scroll">
        <table>
          <thead>
            <tr>
              <th>{t.feature}</th>
              <th className="number">{t.left}</th>
              <th className="number">{t.right}</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => {
              const [one, other] = [wordsOf(left.answer, name), wordsOf(right.answer, name)];
              return (
                <tr key={name} data-differs={one !== other}>
                  <th scope="row">{titleOf(name, left, right)}</th>
                  <td className="number">{one}</td>
                  <td className="number">{other}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function wordsOf({ ehr }: Answer, name: string): string {
  const feature = ehr.features.find((each) => each.name === name);
  return feature ? valueWords(feature.value, feature.unit) : t.notAsked;
}

function titleOf(name: string, left: Case, right: Case): string {
  const title = featureTitle(name, left.model?.manifest ?? null);
  return title === name ? featureTitle(name, right.model?.manifest ?? null) : title;
}
