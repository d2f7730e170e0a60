import { expect, it } from "vitest";
import {
  ariaSort,
  labelsOf,
  NO_FILTERS,
  PAGE_SIZE,
  queryOf,
  type Shown,
  searchOf,
  shownBy,
  turned,
} from "./query";

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
  expect(shownBy("task=age&feedback=perhaps")).toEqual(shownBy(""));
  for (const day of ["20269-11-30", "275760-09-13", "today"]) {
    expect(queryOf(shownBy(`since=${day}&until=${day}`))).toEqual(queryOf(shownBy("")));
  }
});

it("offers the answers of packages with five, four and two classes, and those of packages of one's own", () => {
  const grades = labelsOf({ task: "gos", label: "" }, []);
  expect(grades).toEqual(expect.arrayContaining(["gos_5", "gos_2_3", "unfavourable", "favourable"]));
  expect(grades).not.toContain("ad");
  expect(labelsOf({ task: "ad", label: "" }, ["ad", "converts"])).toEqual(["cn", "mci", "ad", "converts"]);
  // What narrows the list is never shown as "All".
  expect(labelsOf({ task: "", label: "converts" }, [])).toContain("converts");
});
