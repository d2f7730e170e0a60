import { ServiceError } from "../api/problem";
import { texts } from "../texts/en";

type Props = { error: unknown; picture: string | null; onRetry: () => void };

/** What is shown where the volume cannot be: why, what may help, and the picture that the service stored. */
export function StoredPicture({ error, picture, onRetry }: Props) {
  return (
    <figure className="viewer-stored">
      <figcaption role="status">{storedWords(error, picture)}</figcaption>
      {error instanceof ServiceError && !isGone(error) && <Again error={error} onRetry={onRetry} />}
      {picture && <img src={picture} alt={texts.viewer.stored.alt} />}
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

/** Why the volume itself is not shown, and what is shown in its place. */
export function storedWords(error: unknown, picture: string | null): string {
  return `${reasonOf(error)} ${picture ? texts.viewer.stored.instead : texts.viewer.stored.none}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ServiceError)) return texts.viewer.stored.cannotDraw;
  if (isGone(error)) return texts.viewer.stored.expired;
  return texts.problems.byCode[error.code]?.title ?? texts.problems.unknown.title;
}

function isGone({ code, status }: ServiceError): boolean {
  return code === "case-expired" || status === 404;
}
