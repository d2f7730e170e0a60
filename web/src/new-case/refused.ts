import { ServiceError } from "../api/problem";
import type { PatientRecord } from "../api/types";
import { featureProblems } from "../app/ProblemNotice";
import type { PredictionState } from "./usePrediction";

/** What the service said of single features, by name, while they still hold the value that it was said of. */
export function refusedFeatures(state: PredictionState, record: PatientRecord): Map<string, string> {
  if (state.stage !== "failed" || !(state.error instanceof ServiceError)) return new Map();
  const still = featureProblems(state.error.problem).filter(
    ({ name }) => JSON.stringify(record[name]) === JSON.stringify(state.record[name]),
  );
  return new Map(still.map(({ name, problem }) => [name, problem]));
}
