import { ServiceError } from "../api/problem";
import { texts } from "../texts/en";

/** What is shown where the volume cannot be: why, and the picture that the service stored. */
export function StoredPicture({ error, picture }: { error: unknown; picture: string | null }) {
  return (
    <figure className="viewer-stored">
      <figcaption role="status">
        {reasonOf(error)} {picture ? texts.viewer.stored.below : texts.viewer.stored.none}
      </figcaption>
      {picture && <img src={picture} alt={texts.viewer.stored.alt} />}
    </figure>
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ServiceError)) return texts.viewer.stored.cannotDraw;
  if (error.code === "case-expired" || error.status === 404) return texts.viewer.stored.expired;
  return texts.problems.byCode[error.code]?.title ?? texts.problems.unknown.title;
}
