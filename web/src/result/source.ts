import { imageUrl } from "../api/predictions";
import type { Answer } from "../api/types";
import type { Source } from "../viewer/useViewer";

/** Where the images of an answer lie. */
export function sourceOf({ id, heatmap, image }: Answer): Source {
  return { image: imageUrl(id), heatmap: heatmap?.nifti ?? null, modality: image.modality };
}
