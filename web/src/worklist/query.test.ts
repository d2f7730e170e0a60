import { expect, it } from "vitest";
import { ariaSort, NO_FILTERS, PAGE_SIZE, queryOf, turned } from "./query";

it("sends no filter that is empty", () => {
  expect(queryOf(NO_FILTERS, "-created", 0)).toEqual({ sort: "-created", offset: 0, limit: PAGE_SIZE });
});

it("takes whole days of this computer's clock, the last one included", () => {
  const { since, until } = queryOf({ ...NO_FILTERS, since: "2026-11-24", until: "2026-11-24" }, "created", 0);
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
