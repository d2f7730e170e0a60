import { useState } from "react";
import { deletePrediction } from "../api/worklist";
import { Modal } from "../app/Modal";
import { ProblemNotice } from "../app/ProblemNotice";
import { texts } from "../texts/en";

const t = texts.worklist.confirm;

type Props = { id: string; name: string; onClose: () => void; onDeleted: () => void };

/** Asks before what cannot be undone; keeping is the first choice of the keyboard. */
export function DeleteDialog({ id, name, onClose, onDeleted }: Props) {
  const [error, setError] = useState<unknown>(null);
  const remove = () => deletePrediction(id).then(onDeleted, setError);
  return (
    <Modal title={t.title(name)} onClose={onClose}>
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
