import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { Feature } from "../record/features";
import { FeatureControl } from "./FeatureControl";

const NUMBER = {
  kind: "number",
  unit: "a",
  low: 18,
  high: 110,
  isWhole: false,
  accepted: [],
  units: [],
} as const;
const CHOICE = { kind: "category", categories: ["no", "yes"] } as const;

function drawn(kind: typeof NUMBER | typeof CHOICE, required: boolean): string {
  const feature = { name: "one", title: "One", required, ...kind } as unknown as Feature;
  const value = kind === NUMBER ? 71 : "yes";
  return renderToStaticMarkup(
    createElement(FeatureControl, { feature, value, original: value, onChange: () => {} }),
  );
}

it("says the value of a slider once: its output would be a live region that says it again", () => {
  expect(drawn(NUMBER, false)).toMatch(/aria-valuetext="71 years"/);
  expect(drawn(NUMBER, false)).toMatch(/<output [^>]*aria-live="off">71 years</);
});

it("lets nothing be unknown that the package needs: it would answer nothing", () => {
  expect(drawn(NUMBER, false)).not.toContain("disabled");
  expect(drawn(NUMBER, true)).toMatch(/type="checkbox"[^>]*disabled/);
  expect(drawn(CHOICE, false)).toContain("unknown");
  expect(drawn(CHOICE, true)).not.toContain("unknown");
});
