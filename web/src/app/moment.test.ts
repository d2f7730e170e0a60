import { expect, it } from "vitest";
import { momentOnPaper, momentWords } from "./moment";

it("writes a moment by the local clock, year first, in 24 hours", () => {
  expect(momentWords(new Date(2026, 10, 25, 1, 58, 4))).toBe("2026-11-25 01:58");
  expect(momentWords(new Date(2026, 0, 2, 13, 5).toISOString())).toBe("2026-01-02 13:05");
});

it("writes on paper what can be read anywhere: the offset from UTC leads back to the moment", () => {
  for (const month of [0, 6]) {
    const at = new Date(2026, month, 25, 1, 58);
    const words = momentOnPaper(at);
    expect(words).toMatch(/^2026-\d\d-25 01:58 UTC[+-]\d\d:\d\d$/);
    expect(new Date(words.replace(" UTC", "").replace(" ", "T"))).toEqual(at);
  }
});
