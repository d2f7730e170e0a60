import { useId } from "react";
import type { RecordValue } from "../api/types";
import { categoryWords, type Feature, type NumberFeature, stepOf } from "../record/features";
import { texts } from "../texts/en";
import { valueWords } from "./record";

const t = texts.whatIf;

type Props<F extends Feature = Feature> = {
  feature: F;
  value: RecordValue | undefined;
  original: RecordValue | undefined;
  onChange: (value: RecordValue | undefined) => void;
};

/** A slider or a choice on one feature, which may also be unknown where the package does not need it. */
export function FeatureControl({ feature, value, original, onChange }: Props) {
  return (
    <div className="control" data-changed={value !== original} data-feature={feature.name}>
      {feature.kind === "number" ? (
        <Slider feature={feature} value={value} original={original} onChange={onChange} />
      ) : (
        <Choice feature={feature} value={value} original={original} onChange={onChange} />
      )}
    </div>
  );
}

function Slider({ feature, value, original, onChange }: Props<NumberFeature>) {
  const id = useId();
  const isKnown = typeof value === "number";
  const middle = typeof original === "number" ? original : middleOf(feature);
  return (
    <>
      <label htmlFor={id}>{feature.title}</label>
      <input
        id={id}
        type="range"
        min={feature.low}
        max={feature.high}
        step={stepOf(feature)}
        value={isKnown ? value : middle}
        disabled={!isKnown}
        aria-valuetext={valueWords(feature, value, t.unknown)}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
      <div className="control-value">
        {/* The slider itself says its value: as a live region, this would say it again. */}
        <output htmlFor={id} aria-live="off">
          {valueWords(feature, value, t.unknown)}
        </output>
        <Was feature={feature} value={value} original={original} />
      </div>
      <input
        type="checkbox"
        aria-label={t.known(feature.title)}
        title={t.known(feature.title)}
        checked={isKnown}
        disabled={feature.required}
        onChange={(event) => onChange(event.target.checked ? middle : undefined)}
      />
    </>
  );
}

function middleOf(feature: NumberFeature): number {
  const step = stepOf(feature);
  return Math.round((feature.low + feature.high) / 2 / step) * step;
}

function Choice({ feature, value, original, onChange }: Props<Extract<Feature, { kind: "category" }>>) {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{feature.title}</label>
      <select
        id={id}
        value={typeof value === "string" ? value : ""}
        onChange={(event) => onChange(event.target.value || undefined)}
      >
        {!feature.required && <option value="">{t.unknown}</option>}
        {feature.categories.map((category) => (
          <option key={category} value={category}>
            {categoryWords(category)}
          </option>
        ))}
      </select>
      <div className="control-value">
        <Was feature={feature} value={value} original={original} />
      </div>
    </>
  );
}

/** What was answered on, once it is no longer what is set. */
function Was({ feature, value, original }: Omit<Props, "onChange">) {
  if (value === original) return null;
  return (
    <span className="control-was quiet small">
      {t.original_value(valueWords(feature, original, t.unknown))}
    </span>
  );
}
