import { texts } from "../texts/en";

const t = texts.newCase.earlier;
const ID = "earlier";

type Props = { onKeep: () => void; onClear: () => void };

/** Asks whose record it is that was entered before the image: nothing of one patient goes with another's image unseen. */
export function EarlierNotice({ onKeep, onClear }: Props) {
  return (
    <section id={ID} role="alert" className="earlier" tabIndex={-1}>
      <h2>{t.title}</h2>
      <p>{t.what}</p>
      <p className="earlier-actions">
        <button type="button" onClick={onKeep}>
          {t.keep}
        </button>
        <button type="button" onClick={onClear}>
          {t.clear}
        </button>
      </p>
    </section>
  );
}

/** Bring the question into view, for it to be answered. */
export function focusOnEarlier(): void {
  document.getElementById(ID)?.focus();
}
