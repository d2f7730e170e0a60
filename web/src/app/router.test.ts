import { expect, it } from "vitest";
import { hrefOf, parseHash, type Route } from "./router";

const ROUTES: Exclude<Route, { view: "unknown" }>[] = [
  { view: "new" },
  { view: "worklist" },
  { view: "worklist", selected: "0193c2f4-6a00" },
  { view: "worklist", search: "q=A%2F1&offset=25" },
  { view: "worklist", selected: "0193c2f4-6a00", search: "task=gos" },
  { view: "case", id: "0193c2f4-6a00" },
  { view: "report", id: "0193c2f4-6a00" },
  { view: "compare", left: "0193", right: "0194" },
];

it.each(ROUTES)("reads the address of $view as it wrote it", (route) => {
  expect(parseHash(hrefOf(route))).toEqual(route);
});

it("begins with a new case", () => {
  expect(parseHash("")).toEqual({ view: "new" });
});

it.each(["#/case", "#/compare/only-one", "#/elsewhere", "#/case/%", "#/case/0193%E0%A4%A"])(
  "knows that %s leads nowhere",
  (hash) => {
    expect(parseHash(hash)).toEqual({ view: "unknown" });
  },
);
