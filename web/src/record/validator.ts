import { type Schema, Validator } from "@cfworker/json-schema";
import type { ErrorSchema, RJSFSchema, ValidatorType } from "@rjsf/utils";
import type { RecordSchema } from "./features";
import { type FormRecord, problemsOf } from "./record";

/**
 * The form's judge: the package's own schema, with its verdicts in words.
 *
 * The form library's usual one compiles schemas to code, which the page's Content-Security-Policy forbids.
 */
export const recordValidator: ValidatorType<FormRecord, RJSFSchema> = {
  isValid: (schema, data) => new Validator(schema as Schema, "2020-12").validate(data).valid,
  rawValidation: (schema, data) => ({
    errors: asErrors(problemsOf(data, schema as RecordSchema)) as never[],
  }),
  validateFormData: (data, schema) => {
    const errors = asErrors(problemsOf(data, schema as RecordSchema));
    return { errors, errorSchema: errorSchemaOf(errors) };
  },
};

type FormError = { name: string; message: string; stack: string };

function asErrors(problems: Map<string, string>): FormError[] {
  return [...problems].map(([name, message]) => ({ name, message, stack: message }));
}

function errorSchemaOf(errors: FormError[]): ErrorSchema<FormRecord> {
  const tree: Record<string, unknown> = {};
  for (const { name, message } of errors) {
    if (name) tree[name] = { __errors: [message] };
    else tree.__errors = [message];
  }
  return tree as ErrorSchema<FormRecord>;
}
