import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { ScoreNumber, usableNumber } from "./ScoreNumber";

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

it("shows a number of the record as everywhere else, not with all its digits", () => {
  const props = { id: "age", bounds: { low: 0, high: 120 }, value: 856 / 12, onChange: () => {} };
  expect(renderToStaticMarkup(createElement(ScoreNumber, props))).toContain('value="71.333"');
});
