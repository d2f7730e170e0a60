import { expect, it } from "vitest";
import { texts } from "../texts/en";
import { footOf, headingsOf } from "./print-foot";

it("stands below every sheet with the number of the page, and keeps room for itself", () => {
  const foot = footOf("Not for clinical use.");
  expect(foot).toMatch(/^@page \{\s+margin: .*mm;/);
  expect(foot).toContain('@bottom-left { content: "Not for clinical use.";');
  expect(foot).toContain('@bottom-right { content: counter(page) " / " counter(pages);');
});

it("stands beside every heading where a browser prints nothing into margins", () => {
  expect(headingsOf('Prediction "1"')).toContain('h2::after { content: "Prediction \\"1\\"";');
});

it("lets no word out of its quotation marks", () => {
  expect(footOf('"; } a\\')).toContain('content: "\\"; } a\\\\";');
});

it("says which case and prediction a sheet is of, in one line", () => {
  expect(texts.shell.foot("0193")).toBe("Not for clinical use. Prediction 0193");
  expect(texts.shell.foot("0193", "CT-1")).toBe("Not for clinical use. Case CT-1, prediction 0193");
  expect(texts.shell.foot("0193", "W".repeat(64)).length).toBeLessThan(80);
  expect(texts.shell.footOfTwo("CT-1", "…0193c2f4")).toBe(
    "Not for clinical use. First case CT-1, second case …0193c2f4",
  );
  const names = ["1", "2"].map((end) => `2026-NEUROLOGY-HAEMORRHAGE-0000${end}`) as [string, string];
  expect(texts.shell.footOfTwo(...names)).toBe(
    "Not for clinical use. First case 2026-NEUROL…RRHAGE-00001, second case 2026-NEUROL…RRHAGE-00002",
  );
  expect(texts.shell.footOfTwo("W".repeat(64), "M".repeat(64)).length).toBeLessThan(100);
});
