import { expect, it } from "vitest";
import { usableNumber } from "./ScoreNumber";

const CM = { low: 0, high: 20 };
const GCS = { low: 3, high: 15, whole: true };

it.each([
  ["4,5", CM, 4.5],
  ["4.5", CM, 4.5],
  [" 12 ", GCS, 12],
  ["45", CM, null],
  ["-1", CM, null],
  ["2", GCS, null],
  ["8,5", GCS, null],
  ["15", GCS, 15],
  ["about 4", CM, null],
  ["", CM, null],
] as const)("reads %j within its bounds", (text, bounds, number) => {
  expect(usableNumber(text, bounds)).toBe(number);
});
