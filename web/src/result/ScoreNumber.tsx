import { useState } from "react";
import { numberWords } from "../record/features";
import { ambiguityOf, parsedNumber } from "../record/record";
import { texts } from "../texts/en";

/** What a number of the scores may be; both ends belong to it. */
export type Bounds = { low: number; high: number; whole?: boolean };

type Props = {
  id: string;
  bounds: Bounds;
  value: number | null;
  onChange: (value: number | null) => void;
  /** What else is said of it. */
  note?: string;
  readOnly?: boolean;
};

/**
 * A number as it is typed, with a decimal point or comma. What cannot be used is no value, and is said to be none: the
 * browser's own field for numbers drops a comma, so that 4,5 becomes 45.
 */
export function ScoreNumber({ id, bounds, value, onChange, note, readOnly = false }: Props) {
  const [typed, setTyped] = useState("");
  // A value that comes from elsewhere, such as from three diameters, takes the place of what was typed.
  const text = usableNumber(typed, bounds) === value ? typed : value === null ? "" : numberWords(value);
  const isWrong = text.trim() !== "" && value === null;
  return (
    <>
      <input
        id={id}
        inputMode="decimal"
        autoComplete="off"
        readOnly={readOnly}
        value={text}
        aria-invalid={isWrong}
        aria-describedby={`${id}-note`}
        onChange={(event) => {
          setTyped(event.target.value);
          onChange(usableNumber(event.target.value, bounds));
        }}
      />
      <small id={`${id}-note`} role={isWrong ? "alert" : undefined} data-wrong={isWrong}>
        {isWrong ? (ambiguityOf(text) ?? wordsOf(bounds)) : note}
      </small>
    </>
  );
}

/** A typed number within bounds; null where it is none. */
export function usableNumber(text: string, { low, high, whole = false }: Bounds): number | null {
  const number = parsedNumber(text);
  if (typeof number !== "number" || number < low || number > high) return null;
  return whole && !Number.isInteger(number) ? null : number;
}

function wordsOf({ low, high, whole = false }: Bounds): string {
  return texts.result.scores.unusable(numberWords(low), numberWords(high), whole);
}
