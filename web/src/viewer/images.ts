import { unreachable } from "../api/client";
import { ServiceError, serviceError } from "../api/problem";
import { heard } from "../api/traffic";
import { type Nifti, parseNifti, unpacked } from "./nifti";
import type { Images } from "./viewer";

/**
 * Reads a case's volume and its heatmap; without the heatmap where only that is no longer kept, as each has its own days.
 *
 * @throws {ServiceError} `case-expired` where the volume is no longer kept.
 */
export async function loadImages(
  image: string,
  heatmap: string | null,
  signal: AbortSignal,
): Promise<Images> {
  const [volume, above] = await Promise.all([
    loadNifti(image, signal),
    heatmap === null ? null : loadNifti(heatmap, signal).catch(nullIfExpired),
  ]);
  return { image: volume, heatmap: above };
}

function nullIfExpired(error: unknown): null {
  if (error instanceof ServiceError && error.code === "case-expired") return null;
  throw error;
}

/** @throws {ServiceError} The service refused the file, or could not be reached. */
export async function loadNifti(url: string, signal: AbortSignal): Promise<Nifti> {
  const response = await fetch(url, { signal }).catch(unreachable);
  if (!response.ok) throw heard(serviceError(response.status, await jsonOf(response), null));
  return parseNifti(await unpacked(await response.arrayBuffer().catch(unreachable)));
}

async function jsonOf(response: Response): Promise<unknown> {
  return response.json().catch(() => null);
}
