import { useId, useState } from "react";
import { texts } from "../texts/en";
import { ScoreNumber } from "./ScoreNumber";
import { abcHalf } from "./scores";

const t = texts.result.scores;
const DIAMETERS = ["a", "b", "c"] as const;
/** A head holds no more: what is larger was meant in another unit. */
const VOLUME_ML = { low: 0, high: 500 };
const DIAMETER_CM = { low: 0, high: 20 };
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
    const volume = volumeOf(next);
    if (volume !== null) onChange(volume);
    // A volume that came from three diameters goes when one of them does.
    else if (value !== null && value === volumeOf(diameters)) onChange(null);
  };
  return (
    <div className="scores-input scores-volume">
      <label htmlFor={id}>
        {t.volume}, {t.ml}
      </label>
      <ScoreNumber
        id={id}
        bounds={VOLUME_ML}
        value={value}
        onChange={onChange}
        note={t.origin(value !== null)}
      />
      <details>
        <summary>{t.abc}</summary>
        {DIAMETERS.map((name) => (
          <div key={name} className="scores-volume-diameter">
            <label htmlFor={id + name}>
              {t[name]}, {t.cm}
            </label>
            <ScoreNumber
              id={id + name}
              bounds={DIAMETER_CM}
              value={diameters[name]}
              onChange={(cm) => measure(name, cm)}
            />
          </div>
        ))}
      </details>
    </div>
  );
}

/** In mL, to a tenth; null while a diameter is missing, or where together they are more than a head holds. */
function volumeOf({ a, b, c }: Diameters): number | null {
  if (a === null || b === null || c === null) return null;
  const ml = Math.round(abcHalf(a, b, c) * 10) / 10;
  return ml <= VOLUME_ML.high ? ml : null;
}
