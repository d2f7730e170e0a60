import { useCallback } from "react";
import { getModel } from "../api/models";
import type { ModelSummary } from "../api/types";
import { useLoaded } from "../app/useLoaded";
import { texts } from "../texts/en";

const t = texts.newCase.question;

export const referenceOf = ({ name, version }: ModelSummary) => `${name}@${version}`;

type Props = { models: ModelSummary[]; chosen: string | null; onChoose: (reference: string) => void };

/** Which outcome is asked for, and by which package. */
export function Question({ models, chosen, onChoose }: Props) {
  return (
    <fieldset className="panel question">
      <legend className="panel-title">{t.title}</legend>
      {models.length === 0 && <p className="quiet">{t.none}</p>}
      {models.map((model) => (
        <Choice
          key={referenceOf(model)}
          model={model}
          isChosen={chosen === referenceOf(model)}
          onChoose={onChoose}
        />
      ))}
    </fieldset>
  );
}

function Choice({
  model,
  isChosen,
  onChoose,
}: { model: ModelSummary; isChosen: boolean } & Pick<Props, "onChoose">) {
  return (
    <label className="choice" data-chosen={isChosen}>
      <input
        type="radio"
        name="model"
        checked={isChosen}
        disabled={model.state !== "ready"}
        onChange={() => onChoose(referenceOf(model))}
      />
      <span>
        <span className="choice-title">{model.title ?? model.name}</span>
        <span className="quiet small">
          {t.version(model.name, model.version)}
          <Needs key={model.state} model={model} />
          {model.state !== "ready" && `, ${t.state[model.state]}`}
        </span>
      </span>
    </label>
  );
}

function Needs({ model: { name, version } }: { model: ModelSummary }) {
  const load = useCallback((signal: AbortSignal) => getModel(name, version, signal), [name, version]);
  const modality = useLoaded(load).value?.manifest?.image.modality;
  return modality ? `, ${t.needs[modality] ?? modality}` : null;
}
