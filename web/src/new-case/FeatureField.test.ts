import type { FieldProps } from "@rjsf/utils";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { FeatureField } from "./FeatureField";

function drawn(required: boolean): string {
  const schema = { title: "Age", "x-unit": "a", anyOf: [{ type: "number", minimum: 18, maximum: 110 }] };
  const props = { name: "age", schema, required, fieldPathId: { $id: "record_age", path: ["age"] } };
  return renderToStaticMarkup(createElement(FeatureField, props as unknown as FieldProps));
}

it("says that a value is needed where it may not be unknown", () => {
  expect(drawn(true)).toContain("Needed");
  expect(drawn(true)).toContain('aria-required="true"');
  expect(drawn(true)).not.toContain("Unknown");
  expect(drawn(false)).toContain("Unknown");
});
