import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { WorklistItem } from "../api/types";
import { CaseTable } from "./CaseTable";

const CASE = {
  id: "0193c2f4-0000-7000-8000-000000000000",
  created: "2026-11-25T01:58:00Z",
  task: "gos",
  model: { name: "gos", version: 2 },
  reference: "CT-1",
  label: "gos_4",
  favourable: 0.7,
  probabilities: { gos_4: 0.7 },
  findings: [],
  warnings: [],
  has_image: true,
} as unknown as WorklistItem;

function drawn(change: Partial<WorklistItem>): string {
  const nothing = () => {};
  return renderToStaticMarkup(
    createElement(CaseTable, {
      items: [{ ...CASE, ...change }],
      isStale: false,
      sort: "-created",
      onSort: nothing,
      selected: [],
      onSelect: nothing,
      onFeedback: nothing,
      onDelete: nothing,
    }),
  );
}

it.each([
  [null, "none"],
  [{ agreement: null, outcome: null }, "in words"],
  [{ agreement: "disagree" as const, outcome: "gos_3" }, "disagrees, true outcome GOS 3"],
])("says of the feedback %j: %s", (feedback, words) => {
  expect(drawn({ feedback: feedback as WorklistItem["feedback"] })).toContain(`>${words}</td>`);
});

it("names what limits an answer, and counts only the findings that do not", () => {
  const limited = drawn({
    findings: ["weighting-doubtful", "gantry-tilt-corrected"],
    warnings: ["training-data", "weighting-doubtful", "beyond-training"],
  });
  expect(limited).toContain(">MR weighting doubtful, values beyond what training held<");
  expect(limited).toContain(">1 finding<");
});
