import { useState } from "react";
import type { Answer } from "../api/types";
import type { ScoreInputs } from "./scores";

/** What the record says, in years and points. */
export type RecordInputs = { age: number | null; gcs: number | null };
/** What the clinician says. */
export type Entered = ScoreInputs;

const NOTHING: Entered = {
  age: null,
  gcs: null,
  volumeMl: null,
  intraventricular: null,
  location: null,
  cognitiveImpairment: null,
};

/** Kept for this visit, so that the report prints what was entered beside the result. */
const enteredByCase = new Map<string, Entered>();

export function recordInputs({ ehr }: Answer): RecordInputs {
  const numberOf = (name: string, plain: string): number | null => {
    const { value, unit } = ehr.features.find((feature) => feature.name === name) ?? {};
    // UCUM leaves words in braces free: {score}, {points} and {years} say nothing else than no unit.
    const isPlain = unit === plain || unit?.startsWith("{") === true;
    return typeof value === "number" && isPlain ? value : null;
  };
  // An age that a package takes in months is no age to these scores.
  return { age: numberOf("age", "a"), gcs: numberOf("gcs", "1") };
}

/** The record goes before what is entered by hand. */
export function scoreInputs(record: RecordInputs, entered: Entered): ScoreInputs {
  return { ...entered, age: record.age ?? entered.age, gcs: record.gcs ?? entered.gcs };
}

export function enteredFor(id: string): Entered {
  return enteredByCase.get(id) ?? NOTHING;
}

export function useScores(answer: Answer) {
  const [entered, setEntered] = useState(() => enteredFor(answer.id));
  const record = recordInputs(answer);
  const onChange = (next: Entered) => {
    enteredByCase.set(answer.id, next);
    setEntered(next);
  };
  return { record, entered, inputs: scoreInputs(record, entered), onChange };
}
