"""Does the heatmap point at the region the masks name? The pointing game (Zhang et al. 2018, doi:10.1007/s11263-017-1059-x)."""

import numpy as np
from jaxtyping import Bool, Float32, Float64

from training.prepare import PreparedSet

HALF = 128
"""Of a mask's share in uint8: half of the voxel."""


def region_of(prepared: PreparedSet, index: int) -> Bool[np.ndarray, "*S"] | None:
    """Voxels of which the mask fills at least half; None where there is no mask, or no such voxel."""
    share = prepared.mask(index)
    inside = None if share is None else share >= HALF
    return inside if inside is not None and inside.any() else None


def peak_on_model_grid(
    heatmap: Float32[np.ndarray, "D H W"], to_model_grid: Float64[np.ndarray, "4 4"]
) -> Float64[np.ndarray, "3"]:
    """Model-grid index (d, h, w) of the centre of the strongest heatmap cell."""
    cell = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    index: np.ndarray = to_model_grid[:3, :3] @ np.array(cell, dtype=np.float64) + to_model_grid[:3, 3]
    return index


def peaks_in_masks(
    heatmap: Float32[np.ndarray, "N D H W"],
    prepared: PreparedSet,
    to_model_grid: Float64[np.ndarray, "4 4"],
) -> Bool[np.ndarray, " M"]:
    """For every case with a region to point at: does the peak lie in it?

    A peak counts as inside when any of the model-grid voxels around it (the eight whose centres enclose it) is of the region, so the
    tolerance is below one voxel.
    """
    hits = []
    for index in range(len(prepared)):
        region = region_of(prepared, index)
        if region is not None:
            hits.append(_inside(peak_on_model_grid(heatmap[index], to_model_grid), region))
    return np.array(hits, dtype=bool)


def _inside(peak: Float64[np.ndarray, "3"], region: Bool[np.ndarray, "*S"]) -> bool:
    low = np.clip(np.floor(peak).astype(int), 0, np.array(region.shape) - 1)
    high = np.clip(np.ceil(peak).astype(int), 0, np.array(region.shape) - 1)
    return bool(region[low[0] : high[0] + 1, low[1] : high[1] + 1, low[2] : high[2] + 1].any())
