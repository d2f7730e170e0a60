import type { FieldProps } from "@rjsf/utils";
import { useState } from "react";
import type { RecordValue } from "../api/types";
import {
  categoryWords,
  type Feature,
  featuresOf,
  type NumberFeature,
  rangeWords,
  unitWords,
} from "../record/features";
import { typedValue } from "../record/record";
import { texts } from "../texts/en";

const t = texts.record;

/** One feature of the record: its value, its unit, its plausible range, and whether it is known at all. */
export function FeatureField({
  name,
  schema,
  required,
  formData,
  onChange,
  onBlur,
  fieldPathId,
  rawErrors,
}: FieldProps) {
  const [round, setRound] = useState(0);
  const feature = featuresOf({
    properties: { [name]: schema as never },
    required: required ? [name] : [],
  })[0];
  if (!feature) return null;
  const id = fieldPathId.$id;
  const errors = rawErrors ?? [];
  const change = (value: RecordValue | undefined) => onChange(value, fieldPathId.path);
  const isKnown = formData !== undefined;
  const forget = () => {
    change(undefined);
    setRound(round + 1); // empties what was typed
  };
  const shared = { id, value: formData as RecordValue | undefined, change, isWrong: errors.length > 0 };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hears the blur of the inputs inside, takes none of its own
    <div className="feature" data-known={isKnown} onBlur={() => onBlur(id, formData)}>
      <label htmlFor={id}>{feature.title}</label>
      {feature.kind === "number" ? (
        <NumberInput key={round} feature={feature} {...shared} />
      ) : (
        <CategoryInput feature={feature} {...shared} />
      )}
      {feature.required ? (
        <span className="unknown">{t.isRequired}</span>
      ) : (
        <label className="unknown">
          <input
            type="checkbox"
            aria-label={t.unknownOf(feature.title)}
            checked={!isKnown}
            aria-disabled={!isKnown} // disabled in earnest, it would take the focus with it
            tabIndex={isKnown ? 0 : -1}
            onChange={() => {
              if (isKnown) forget();
              onBlur(id, undefined); // what was wrong is so no more
            }}
          />
          {t.unknown}
        </label>
      )}
      <p id={`${id}-error`} className="feature-error" role={errors.length > 0 ? "alert" : undefined}>
        {errors.join(" ")}
      </p>
    </div>
  );
}

type InputProps<F extends Feature> = {
  feature: F;
  id: string;
  value: RecordValue | undefined;
  change: (value: RecordValue | undefined) => void;
  isWrong: boolean;
};

function NumberInput({ feature, id, value, change, isWrong }: InputProps<NumberFeature>) {
  const start =
    typeof value === "object" && value !== null ? value : { value: value ?? "", unit: feature.unit };
  const [text, setText] = useState(String(start.value));
  const [unit, setUnit] = useState(start.unit);
  const typed = (nextText: string, nextUnit: string) => {
    setText(nextText);
    setUnit(nextUnit);
    change(typedValue(nextText, nextUnit, feature.unit));
  };
  // A value may come from another package's record, in a unit that is not offered here.
  const units = feature.units.includes(unit) ? feature.units : [...feature.units, unit];
  return (
    <span className="value">
      <input
        id={id}
        inputMode="decimal"
        autoComplete="off"
        value={text}
        aria-invalid={isWrong}
        aria-required={feature.required}
        aria-describedby={`${id}-range ${id}-error`}
        onChange={(event) => typed(event.target.value, unit)}
      />
      {units.length > 1 ? (
        <select
          aria-label={t.unitOf(feature.title)}
          value={unit}
          onChange={(event) => typed(text, event.target.value)}
        >
          {units.map((one) => (
            <option key={one} value={one}>
              {unitWords(one)}
            </option>
          ))}
        </select>
      ) : (
        <span className="unit">{unitWords(feature.unit)}</span>
      )}
      <span id={`${id}-range`} className="range quiet small">
        {rangeWords(feature)}
      </span>
    </span>
  );
}

function CategoryInput({
  feature,
  id,
  value,
  change,
  isWrong,
}: InputProps<Extract<Feature, { kind: "category" }>>) {
  return (
    <span className="value">
      <select
        id={id}
        value={typeof value === "string" ? value : ""}
        aria-invalid={isWrong}
        aria-required={feature.required}
        aria-describedby={`${id}-error`}
        onChange={(event) => change(event.target.value || undefined)}
      >
        <option value="">{t.choose}</option>
        {feature.categories.map((category) => (
          <option key={category} value={category}>
            {categoryWords(category)}
          </option>
        ))}
      </select>
    </span>
  );
}
