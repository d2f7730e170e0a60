import { expect, it } from "vitest";
import { ariaSort, NO_FILTERS, PAGE_SIZE, queryOf, type Shown, searchOf, shownBy, turned } from "./query";

it("sends no filter that is empty", () => {
  expect(queryOf(shownBy(""))).toEqual({ sort: "-created", offset: 0, limit: PAGE_SIZE });
});

it("takes whole days of this computer's clock, the last one included", () => {
  const { since, until } = queryOf(shownBy("since=2026-11-24&until=2026-11-24"));
  expect(since).toBe(new Date(2026, 10, 24).toISOString());
  expect(until).toBe(new Date(2026, 10, 25).toISOString());
});

it("turns a sorted column round and begins another one where it is of use", () => {
  expect(turned("created", "created")).toBe("-created");
  expect(turned("-created", "created")).toBe("created");
  expect(turned("-created", "reference")).toBe("reference");
  expect(turned("reference", "favourable")).toBe("-favourable");
  expect(ariaSort("-favourable", "favourable")).toBe("descending");
});

it("reads from an address what it wrote there, and writes nothing of what is usual", () => {
  const shown: Shown = {
    filters: { ...NO_FILTERS, q: "A/1 & ü ", task: "gos" },
    sort: "favourable",
    offset: 25,
  };
  expect(shownBy(searchOf(shown))).toEqual(shown);
  expect(searchOf(shownBy(""))).toBe("");
});

it("passes over what makes no sense in an address", () => {
  expect(shownBy("sort=-age&offset=-3&else=1")).toEqual(shownBy(""));
  expect(shownBy("sort=--created&offset=2.5")).toEqual(shownBy(""));
});
