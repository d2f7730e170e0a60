import { expect, it } from "vitest";
import { momentWords } from "./moment";

it("writes a moment by the local clock, year first, in 24 hours", () => {
  expect(momentWords(new Date(2026, 10, 25, 1, 58, 4))).toBe("2026-11-25 01:58");
  expect(momentWords(new Date(2026, 0, 2, 13, 5).toISOString())).toBe("2026-01-02 13:05");
});
