import type { ComponentType, createElement } from "react";

/** A part of a form as the OpenAPI document describes it: Swagger UI's immutable map. */
type Part = { get: (keyword: string) => unknown; has: (keyword: string) => boolean };
type Sample = (schema: Part, mediaType: string | false, ...more: unknown[]) => unknown;
type IncludeEmpty = { isIncludedOptions: object };
type System = { React: { createElement: typeof createElement } };

/**
 * A plugin of Swagger UI: of a form, what nobody has filled in is not sent. By itself Swagger UI writes "string" into every text part that may be
 * left out, and sends a package, an upload and a batch of that name; what is cleared it sends as an empty text.
 */
export const nothingMadeUp = {
  afterLoad(this: { fn: { getSampleSchema: Sample } }) {
    const sample = this.fn.getSampleSchema;
    this.fn.getSampleSchema = (schema, mediaType, ...more) =>
      mediaType === false && schema.get("type") === "string" && !saysWith(schema)
        ? ""
        : sample(schema, mediaType, ...more);
  },
  wrapComponents: {
    /** "Send empty value", which is a wish and no default. */
    ParameterIncludeEmpty:
      (Original: ComponentType<IncludeEmpty>, { React }: System) =>
      (props: IncludeEmpty) =>
        React.createElement(Original, {
          ...props,
          isIncludedOptions: { ...props.isIncludedOptions, defaultValue: false },
        }),
  },
};

function saysWith(schema: Part): boolean {
  return schema.has("default") || schema.has("examples");
}
