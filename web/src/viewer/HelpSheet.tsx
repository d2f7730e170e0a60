import { Modal } from "../app/Modal";
import { texts } from "../texts/en";
import type { Preset } from "./windows";

/** Every key and gesture of the viewer. */
export function HelpSheet({ presets, onClose }: { presets: readonly Preset[]; onClose: () => void }) {
  const t = texts.viewer.help;
  return (
    <Modal title={t.title} onClose={onClose}>
      <dl className="viewer-keys">
        {[
          ...t.keys,
          ...presets.flatMap((preset) => (t.presets[preset] ? [t.presets[preset]] : [])),
          ...t.mouse,
        ].map(([key, what]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="small quiet">{t.where}</p>
      <div className="modal-actions">
        <button type="button" onClick={onClose}>
          {t.close}
        </button>
      </div>
    </Modal>
  );
}
