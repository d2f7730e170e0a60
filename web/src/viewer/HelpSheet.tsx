import { useEffect, useRef } from "react";
import { texts } from "../texts/en";
import type { Preset } from "./windows";

/** Every key and gesture of the viewer. */
export function HelpSheet({ presets, onClose }: { presets: readonly Preset[]; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const t = texts.viewer.help;
  return (
    <dialog ref={dialog} className="viewer-help" aria-labelledby="viewer-help-title" onClose={onClose}>
      <h2 id="viewer-help-title">{t.title}</h2>
      <dl>
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
      <form method="dialog">
        <button type="submit">{t.close}</button>
      </form>
    </dialog>
  );
}
