// The package's index also loads its test registry, and with that a validator that the page does not have.
import Form from "@rjsf/core/lib/components/Form.js";
import type {
  ErrorSchema,
  FieldTemplateProps,
  ObjectFieldTemplateProps,
  RJSFSchema,
  UiSchema,
} from "@rjsf/utils";
import { type Ref, useMemo } from "react";
import type { RecordSchema } from "../record/features";
import { type FormRecord, recordOf } from "../record/record";
import { recordValidator } from "../record/validator";
import { texts } from "../texts/en";
import { FeatureField } from "./FeatureField";

const t = texts.record;

export type RecordFormHandle = Form<FormRecord, RJSFSchema>;

type Props = {
  schema: RecordSchema;
  record: FormRecord;
  onChange: (record: FormRecord) => void;
  /** What the service said of single features, by name. */
  refused: Map<string, string>;
  handle: Ref<RecordFormHandle>;
};

const ID_PREFIX = "record";
const TITLE_ID = "record-title";
const FIELDS = { feature: FeatureField };
const TEMPLATES = {
  FieldTemplate: ({ children }: FieldTemplateProps) => children,
  ObjectFieldTemplate: ({ properties }: ObjectFieldTemplateProps) => (
    <div className="record-features">{properties.map(({ content }) => content)}</div>
  ),
};

/** The record, drawn from the package's own JSON Schema. */
export function RecordForm({ schema, record, onChange, refused, handle }: Props) {
  const uiSchema = useMemo(() => uiSchemaOf(schema), [schema]);
  const known = Object.keys(recordOf(record)).length;
  const all = Object.keys(schema.properties ?? {}).length;
  return (
    <section className="panel record-panel" aria-labelledby={TITLE_ID}>
      <header className="panel-head">
        <h2 id={TITLE_ID} className="panel-title" tabIndex={-1}>
          {t.title}
        </h2>
        <span className="quiet">{t.known(known, all)}</span>
      </header>
      <Form<FormRecord, RJSFSchema>
        ref={handle}
        tagName="div"
        idPrefix={ID_PREFIX}
        schema={schema as RJSFSchema}
        uiSchema={uiSchema}
        formData={record}
        validator={recordValidator}
        fields={FIELDS}
        templates={TEMPLATES as never}
        extraErrors={extraErrorsOf(refused)}
        liveValidate="onBlur"
        showErrorList={false}
        onError={() => {}} // said at the fields; without it the library writes into the console
        onChange={({ formData }) => onChange(formData ?? {})}
      >
        <span hidden />
      </Form>
    </section>
  );
}

/** Go to where the record begins. */
export function focusOnRecord(): void {
  document.getElementById(TITLE_ID)?.focus();
}

/** Bring a feature's field into view, for what is wrong with it to be read there. */
export function focusOn(feature: string): void {
  document.getElementById(`${ID_PREFIX}_${feature}`)?.focus();
}

/** Every feature is drawn by one field, which stands for all the ways that the schema lets it be written. */
function uiSchemaOf(schema: RecordSchema): UiSchema<FormRecord, RJSFSchema> {
  const field = { "ui:field": "feature", "ui:fieldReplacesAnyOrOneOf": true };
  return Object.fromEntries(Object.keys(schema.properties ?? {}).map((name) => [name, field]));
}

function extraErrorsOf(refused: Map<string, string>): ErrorSchema<FormRecord> {
  return Object.fromEntries([...refused].map(([name, problem]) => [name, { __errors: [problem] }])) as never;
}
