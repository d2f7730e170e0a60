import { expect, it } from "vitest";
import { titleOf } from "./title";

it("names the case before the view, where there is one", () => {
  expect(titleOf("case", "CT-1")).toBe("CT-1 · Result · NeuroFuse");
  expect(titleOf("worklist")).toBe("Worklist · NeuroFuse");
});
