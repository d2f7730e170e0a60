import { expect, it } from "vitest";
import { takenWords } from "./taken";

it("says what a value beyond training was taken as, and nothing of the others", () => {
  expect(takenWords({ unit: "{INR}" })).toBeNull();
  expect(takenWords({ unit: "a", taken_as: null })).toBeNull();
  expect(takenWords({ unit: "{INR}", taken_as: 3.7139614 })).toBe("taken as 3.71");
  expect(takenWords({ unit: "mmol/L", taken_as: 17.093292 })).toBe("taken as 17.1 mmol/L");
  expect(takenWords({ unit: null, taken_as: "missing" })).toBe("taken as unknown");
});
