import { type DragEvent, useRef, useState } from "react";
import { ProblemNotice } from "../app/ProblemNotice";
import { useFocusKept } from "../app/useFocusKept";
import { texts } from "../texts/en";
import { entriesOf, filesBelow, filesPicked } from "./drop";
import { Preview } from "./Preview";
import type { ImageHandle, ImageState } from "./useImage";

const t = texts.newCase.image;

/** From a drop or a picker to what the service recognised. */
export function ImagePanel({ image }: { image: ImageHandle }) {
  const { state, take, drop, again } = image;
  const isUnderWay = state.stage === "sending" || state.stage === "gathering";
  const title = useFocusKept<HTMLHeadingElement>(isUnderWay);
  return (
    <section className="panel image-panel" aria-labelledby="image-title">
      <h2 ref={title} id="image-title" className="panel-title" tabIndex={-1}>
        {t.title}
      </h2>
      {isUnderWay ? (
        <Sending state={state} onCancel={drop} />
      ) : (
        <DropZone onFiles={take} isSmall={state.stage === "ready"} />
      )}
      {state.stage === "failed" && <Failure error={state.error} onRetry={again} />}
      {state.stage === "ready" && <Preview upload={state.upload} />}
    </section>
  );
}

function Failure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (error === "empty") return <p role="alert">{t.nothing}</p>;
  if (error === "no-model") return <p role="alert">{t.noModel}</p>;
  if (error === "unreadable") return <p role="alert">{t.unreadable}</p>;
  return <ProblemNotice error={error} onRetry={onRetry} />;
}

function DropZone({ onFiles, isSmall }: { onFiles: ImageHandle["take"]; isSmall: boolean }) {
  const [isOver, setIsOver] = useState(false);
  const over = (event: DragEvent, now: boolean) => {
    event.preventDefault();
    setIsOver(now);
  };
  const dropped = (event: DragEvent) => {
    over(event, false);
    if (!event.dataTransfer.types.includes("Files")) return; // a piece of text replaces no image
    onFiles(filesBelow(entriesOf(event.dataTransfer.items)));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping needs a pointer; the buttons inside do the same by key
    <div
      className="drop-zone"
      data-over={isOver}
      data-small={isSmall}
      onDragOver={(event) => over(event, true)}
      onDragLeave={(event) => over(event, false)}
      onDrop={dropped}
    >
      <p className="drop-title">{isOver ? t.dropNow : isSmall ? t.replace : t.drop}</p>
      <p className="drop-buttons">
        {!isSmall && <span className="quiet">{t.either}</span>}
        <Picker label={t.folder} isFolder onFiles={onFiles} />
        <Picker label={t.files} isFolder={false} onFiles={onFiles} />
      </p>
      {!isSmall && <p className="quiet small">{t.travels}</p>}
    </div>
  );
}

type PickerProps = { label: string; isFolder: boolean; onFiles: ImageHandle["take"] };

function Picker({ label, isFolder, onFiles }: PickerProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        aria-label={label}
        data-picker={isFolder ? "folder" : "files"}
        {...(isFolder ? { webkitdirectory: "" } : {})}
        onChange={(event) => {
          onFiles(Promise.resolve(filesPicked(event.target.files)));
          event.target.value = ""; // the same files may be picked again
        }}
      />
    </>
  );
}

type Underway = Extract<ImageState, { stage: "sending" | "gathering" }>;

function Sending({ state, onCancel }: { state: Underway; onCancel: () => void }) {
  const progress = state.stage === "sending" ? state.progress : null;
  const isSent = progress !== null && progress.total > 0 && progress.sent >= progress.total;
  const share = progress && progress.total > 0 ? progress.sent / progress.total : 0;
  return (
    <div className="sending">
      <p role="status">
        {state.stage === "gathering" ? t.gathering : isSent ? t.reading : t.sending(state.files.length)}
      </p>
      <progress aria-label={t.progress} {...(isSent ? {} : { value: share })} max={1} />
      <p className="quiet">
        {progress && progress.total > 0 && !isSent ? megabytes(progress.sent, progress.total) : ""}
      </p>
      <button type="button" onClick={onCancel}>
        {t.cancel}
      </button>
    </div>
  );
}

function megabytes(sent: number, total: number): string {
  return `${(sent / 1e6).toFixed(1)} / ${(total / 1e6).toFixed(1)} MB`;
}
