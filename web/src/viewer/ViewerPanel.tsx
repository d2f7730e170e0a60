import { useEffect, useRef } from "react";
import { texts } from "../texts/en";
import { Controls } from "./Controls";
import { HelpSheet } from "./HelpSheet";
import { ReadingLine } from "./ReadingLine";
import { StoredPicture } from "./StoredPicture";
import { useControls } from "./useControls";
import { type Open, type Source, useViewer } from "./useViewer";
import "./viewer.css";

type Props = {
  source: Source;
  /** The picture the service stored; shown where the volume cannot be. */
  picture: string | null;
  /** Told when the viewer has drawn, and null when it is gone. */
  onOpen?: (open: Open | null) => void;
  /** Takes the keyboard when it has drawn, unless something else has it. */
  takesFocus?: boolean;
};

/** The image with its heatmap, and everything that can be done with it. */
export function ViewerPanel({ source, picture, onOpen, takesFocus = false }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLElement>(null);
  const opening = useViewer(host, source);
  const open = opening.state === "open" ? opening.open : null;
  const controls = useControls(open, frame);
  useEffect(() => {
    onOpen?.(open);
    return () => onOpen?.(null);
  }, [open, onOpen]);
  useEffect(() => {
    if (open && takesFocus && document.activeElement === document.body) {
      host.current?.querySelector("canvas")?.focus({ preventScroll: true });
    }
  }, [open, takesFocus]);
  return (
    <section
      ref={frame}
      className="viewer"
      aria-label={texts.viewer.title}
      data-state={opening.state}
      tabIndex={-1} // Safari gives a clicked button no focus, but what stands around it
    >
      <div className="viewer-stage">
        <div ref={host} className="viewer-host" hidden={opening.state === "failed"} />
        {opening.state === "loading" && (
          <p className="viewer-wait" role="status">
            {texts.viewer.loading}
          </p>
        )}
        {opening.state === "failed" && (
          <StoredPicture error={opening.error} picture={picture} onRetry={opening.again} />
        )}
      </div>
      {open && source.heatmap !== null && !open.hasHeatmap && (
        <p className="viewer-gone" role="status">
          {texts.viewer.heatmapGone}
        </p>
      )}
      {open && <ReadingLine open={open} modality={source.modality} />}
      {open && <Controls open={open} controls={controls} />}
      {controls.helpShown && (
        <HelpSheet presets={[...(open?.presets.keys() ?? [])]} onClose={controls.closeHelp} />
      )}
    </section>
  );
}
