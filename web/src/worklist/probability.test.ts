import { expect, it } from "vitest";
import { texts } from "../texts/en";
import { probabilityOf } from "./probability";

it("tells the favourable outcome, else the class that was answered", () => {
  expect(probabilityOf({ favourable: 0.714, probabilities: { gos_4: 0.4 }, label: "gos_4" })).toBe(
    "71 % favourable",
  );
  expect(probabilityOf({ favourable: null, probabilities: { cn: 0.9, ad: 0.1 }, label: "cn" })).toBe(
    "90 % CN",
  );
});

it("names no number for an answer that cannot be read", () => {
  expect(probabilityOf({ favourable: null, probabilities: {}, label: "cn" })).toBe("cannot be read");
});

it.each([
  ["gos_1", "GOS 1"],
  ["gos_2_3", "GOS 2–3"],
  ["cn", "CN"],
  ["favourable", "Favourable"],
  ["no_change_at_all", "No change at all"],
])("writes the label %s as %s", (label, words) => {
  expect(texts.worklist.labelOf(label)).toBe(words);
});
