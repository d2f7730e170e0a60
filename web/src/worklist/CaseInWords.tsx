import type { WorklistItem } from "../api/types";
import { momentWords } from "../app/moment";
import { texts } from "../texts/en";

type Props = { item: Pick<WorklistItem, "created" | "model"> };

/** Tells a case from another one with the same number, as where it was run anew. */
export function CaseInWords({ item: { created, model } }: Props) {
  return (
    <p className="quiet">
      {texts.result.made(momentWords(created))}, {texts.result.model.version(model.name, model.version)}
    </p>
  );
}
