import { useId, useState } from "react";
import { texts } from "../texts/en";
import { abcHalf } from "./scores";

const t = texts.result.scores;
const DIAMETERS = ["a", "b", "c"] as const;
type Diameters = Record<(typeof DIAMETERS)[number], number | null>;

/** The haematoma's volume, as a number or from three diameters. */
export function VolumeInput({
  value,
  onChange,
}: {
  value: number | null;
  onChange: (ml: number | null) => void;
}) {
  const id = useId();
  const [diameters, setDiameters] = useState<Diameters>({ a: null, b: null, c: null });
  const measure = (name: keyof Diameters, cm: number | null) => {
    const next = { ...diameters, [name]: cm };
    setDiameters(next);
    const { a, b, c } = next;
    if (a !== null && b !== null && c !== null) onChange(Math.round(abcHalf(a, b, c) * 10) / 10);
  };
  return (
    <div className="scores-input scores-volume">
      <label htmlFor={id}>
        {t.volume}, {t.ml}
      </label>
      <NumberInput id={id} value={value} onChange={onChange} />
      <small>{t.origin(value !== null)}</small>
      <details>
        <summary>{t.abc}</summary>
        {DIAMETERS.map((name) => (
          <div key={name} className="scores-volume-diameter">
            <label htmlFor={id + name}>
              {t[name]}, {t.cm}
            </label>
            <NumberInput id={id + name} value={diameters[name]} onChange={(cm) => measure(name, cm)} />
          </div>
        ))}
      </details>
    </div>
  );
}

type NumberProps = { id: string; value: number | null; onChange: (value: number | null) => void };

function NumberInput({ id, value, onChange }: NumberProps) {
  return (
    <input
      id={id}
      type="number"
      min={0}
      step="any"
      value={value ?? ""}
      onChange={(event) => {
        const number = event.target.valueAsNumber;
        onChange(number >= 0 ? number : null);
      }}
    />
  );
}
