import { useState } from "react";
import type { WorklistItem } from "../api/types";
import { deletePrediction } from "../api/worklist";
import { Modal } from "../app/Modal";
import { ProblemNotice } from "../app/ProblemNotice";
import { texts } from "../texts/en";
import { CaseInWords } from "./CaseInWords";
import { nameOf } from "./name";

const t = texts.worklist.confirm;

type Props = { item: WorklistItem; onClose: () => void; onDeleted: () => void };

/** Asks before what cannot be undone; keeping is the first choice of the keyboard. */
export function DeleteDialog({ item, onClose, onDeleted }: Props) {
  const [error, setError] = useState<unknown>(null);
  const remove = () => deletePrediction(item.id).then(onDeleted, setError);
  return (
    <Modal title={t.title(nameOf(item))} onClose={onClose}>
      <CaseInWords item={item} />
      <p>{t.what}</p>
      {error !== null && <ProblemNotice error={error} />}
      <div className="modal-actions">
        <button type="button" onClick={onClose}>
          {t.no}
        </button>
        <button type="button" className="danger" onClick={remove}>
          {t.yes}
        </button>
      </div>
    </Modal>
  );
}
