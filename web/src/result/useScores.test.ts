import { expect, it } from "vitest";
import type { Answer } from "../api/types";
import { recordInputs } from "./useScores";

const answerWith = (unit: string, value: number) =>
  ({
    ehr: {
      features: [
        { name: "age", value, unit },
        { name: "gcs", value: 12, unit: "{score}" },
      ],
    },
  }) as unknown as Answer;

it("takes age and coma scale from the record, and an age in another unit than years for none", () => {
  expect(recordInputs(answerWith("a", 71))).toEqual({ age: 71, gcs: 12 });
  expect(recordInputs(answerWith("{years}", 71))).toEqual({ age: 71, gcs: 12 });
  expect(recordInputs(answerWith("mo", 852))).toEqual({ age: null, gcs: 12 });
});
