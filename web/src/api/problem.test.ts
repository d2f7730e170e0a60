import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { texts } from "../texts/en";
import { isAbort, PAGE_CODES, serviceError } from "./problem";

/** Every code of the service, from the examples of its OpenAPI document and its tree of errors. */
function publishedCodes(): string[] {
  const document = readFileSync(new URL("../../openapi.json", import.meta.url), "utf8");
  const tree = readFileSync(new URL("../../../app/errors/__init__.py", import.meta.url), "utf8");
  const examples = [...document.matchAll(/"type": "\/problems\/([a-z-]+)"/g)];
  const requests = tree.slice(tree.indexOf("RequestError"), tree.indexOf("PackageError"));
  const leaves = [...requests.matchAll(/Error +([a-z]+(?:-[a-z]+)*)$/gm)];
  return [...new Set([...examples, ...leaves].map((match) => match[1] ?? ""))];
}

it("has words and a remedy for every code that the service publishes", () => {
  const codes = publishedCodes();
  expect(codes).toContain("case-expired");
  expect(codes.length).toBeGreaterThan(18);
  const wordless = [...codes, ...PAGE_CODES].filter((code) => !texts.problems.byCode[code]?.remedy);
  expect(wordless).toEqual([]);
});

it("takes code, detail and waiting time from a problem document", () => {
  const body = { type: "/problems/overloaded", title: "", status: 503, detail: "busy", request_id: "1" };
  const error = serviceError(503, body, "7");
  expect([error.code, error.retryAfterS, error.problem?.detail]).toEqual(["overloaded", 7, "busy"]);
});

it.each([
  [413, "upload-too-large"],
  [503, "overloaded"],
  [502, "unexpected-answer"],
])("finds words for a bare %i of something in between", (status, code) => {
  expect(serviceError(status, "<html>", null).code).toBe(code);
});

it("tells what the page gave up from what failed", () => {
  expect(isAbort(new DOMException("", "AbortError"))).toBe(true);
  expect(isAbort(new TypeError("Failed to fetch"))).toBe(false);
});
