import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { Answer, ModelDetail } from "../api/types";
import { Cautions } from "./Cautions";

const features = [
  { name: "platelets", value: 1200, unit: "10*9/L", status: "used", taken_as: 590.4 },
  { name: "age", value: 71, unit: "a", status: "used", taken_as: null },
];
const answer = {
  model: {},
  prediction: { abstained: false, out_of_distribution: { flagged: false } },
  warnings: [{ code: "beyond-training", detail: "it took Platelets as 590 10*9/L" }],
  ehr: { features },
} as unknown as Answer;
const model = {
  manifest: { ehr: { features: [{ name: "platelets", title: "Platelets" }] } },
} as unknown as ModelDetail;

it("says values beyond training in the units that clinicians write, with what they were taken for", () => {
  const drawn = renderToStaticMarkup(createElement(Cautions, { answer, model }));
  expect(drawn).toContain("Platelets 1200 × 10⁹/L taken as 590 × 10⁹/L.");
  expect(drawn).not.toContain("10*9/L");
});
