import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { Answer } from "../api/types";
import { Statement } from "./Statement";

const answer = (abstained: boolean) =>
  ({
    prediction: { favourable: 0.6, probabilities: { gos_3: 0.4, gos_4: 0.6 }, label: "gos_4", abstained },
  }) as unknown as Answer;
const drawn = (abstained: boolean) =>
  renderToStaticMarkup(createElement(Statement, { answer: answer(abstained), model: null }));

it("says beside the number itself that the model abstains: the two may be on two sheets of paper", () => {
  expect(drawn(true)).toContain("The model abstains");
  expect(drawn(false)).not.toContain("abstains");
});
