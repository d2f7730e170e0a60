import { expect, it } from "vitest";
import { texts } from "../texts/en";
import { intendedUseWords } from "./intended-use";

const model = (name: string, intended_use: string | null) => ({ name, version: 1, intended_use });

it("says once what all packages say, in their own words", () => {
  expect(intendedUseWords([model("gos", "Research only."), model("ad", "Research only.")])).toBe(
    "Research only.",
  );
});

it("names the packages where their intended uses differ", () => {
  const models = [model("gos", "Research only."), model("ad", "Teaching."), model("ad-b", "Research only.")];
  expect(intendedUseWords(models)).toBe("gos 1, ad-b 1: Research only. ad 1: Teaching.");
});

it("falls back on general words while no package has been verified", () => {
  expect(intendedUseWords([])).toBe(texts.banner.general);
  expect(intendedUseWords([model("gos", null)])).toBe(texts.banner.general);
});

it("leaves out what is not yet known of a package", () => {
  expect(intendedUseWords([model("gos", null), model("ad", "Teaching.")])).toBe("Teaching.");
});
