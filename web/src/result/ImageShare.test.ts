import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { Answer } from "../api/types";
import { ImageShare } from "./ImageShare";

const drawn = (...statuses: ("used" | "missing")[]) => {
  const features = statuses.map((status, index) => ({ name: `feature_${index}`, status }));
  const answer = { ehr: { image_share: 0.507, features } } as unknown as Answer;
  return renderToStaticMarkup(createElement(ImageShare, { answer }));
};

it("tells the shares of image and record, and none of a record of which nothing is known", () => {
  expect(drawn("used", "missing")).toContain(
    "51 % of the fused evidence came from the image, 49 % from the record.",
  );
  expect(drawn("missing", "missing")).not.toContain("%");
});
