import { type ReactNode, useState } from "react";
import { ServiceError } from "../api/problem";
import { texts } from "../texts/en";

type Props = { error: unknown; picture: string | null; onRetry: () => void };

/** What is shown where the volume cannot be: why, what may help, and the picture that the service stored. */
export function StoredPicture({ error, picture, onRetry }: Props) {
  const { words, image, again } = useStored(error, picture);
  const mayCome = error instanceof ServiceError && !isGone(error);
  return (
    <figure className="viewer-stored">
      <figcaption role="status">{words}</figcaption>
      {mayCome && <Again error={error} onRetry={onRetry} />}
      {again && !mayCome && (
        <button type="button" onClick={again}>
          {texts.problems.retry}
        </button>
      )}
      {image}
    </figure>
  );
}

function Again({ error, onRetry }: { error: ServiceError; onRetry: () => void }) {
  const isOld = error.code === "part-missing"; // a browser asks for a part of a page once
  return (
    <button type="button" onClick={isOld ? () => window.location.reload() : onRetry}>
      {isOld ? texts.shell.reload : texts.problems.retry}
    </button>
  );
}

type Stored = { words: string; image: ReactNode; again: (() => void) | null };

/**
 * Why the volume itself is not shown, and the picture in its place; the service may keep that for a time of its own.
 * Where the picture did not come, `again` asks for it once more: a browser does not say why.
 */
export function useStored(error: unknown, picture: string | null): Stored {
  const { stored } = texts.viewer;
  const [failed, setFailed] = useState<string | null>(null);
  if (picture === null) return { words: `${reasonOf(error)} ${stored.none}`, image: null, again: null };
  if (picture === failed) {
    return { words: `${reasonOf(error)} ${stored.gone}`, image: null, again: () => setFailed(null) };
  }
  return {
    words: `${reasonOf(error)} ${stored.instead}`,
    image: <img src={picture} alt={stored.alt} onError={() => setFailed(picture)} />,
    again: null,
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ServiceError)) return texts.viewer.stored.cannotDraw;
  if (isGone(error)) return texts.viewer.stored.expired;
  return texts.problems.byCode[error.code]?.title ?? texts.problems.unknown.title;
}

function isGone({ code, status }: ServiceError): boolean {
  return code === "case-expired" || status === 404;
}
