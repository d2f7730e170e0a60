"""What a removed voxel is replaced by, and in which order voxels are removed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64
from scipy.ndimage import gaussian_filter

from app.imaging.volume import Modality

BLUR_MM = 20.0
"""Standard deviation of the blur: wide enough that a bleed of 30 ml is spread to a trace of itself."""
SOFT_TISSUE_HU = (-20.0, 120.0)
SMALLEST = 1e-6


@dataclass(frozen=True)
class Order:
    """In which order voxels are removed.

    Attributes:
        rank: [*S] 0 for the first; `size` and more for those that stay.
        size: Voxels that are removed in the end.
    """

    rank: Int64[np.ndarray, "*S"]
    size: int

    def removed(self, share: float) -> Bool[np.ndarray, "*S"]:
        """The voxels that are gone when a share of `size` is."""
        gone: np.ndarray = self.rank < round(share * self.size)
        return gone


def order_of(
    saliency: Float32[np.ndarray, "*S"], among: Bool[np.ndarray, "*S"], tie_breaker: Float32[np.ndarray, "*S"]
) -> Order:
    """Falling saliency; where it is even, as on the cut-off side of a heatmap, falling `tie_breaker`."""
    places = np.flatnonzero(among)
    order = np.lexsort((-tie_breaker.ravel()[places], -saliency.ravel()[places]))
    rank = np.full(saliency.size, len(places), dtype=np.int64)
    rank[places[order]] = np.arange(len(places))
    return Order(rank.reshape(saliency.shape), len(places))


def blurred(
    image: Float32[np.ndarray, "*S"],
    head: Bool[np.ndarray, "*S"],
    modality: Modality,
    spacing_mm: tuple[float, ...],
) -> Float32[np.ndarray, "*S"]:
    """The head's soft tissue, blurred within itself: no bone and no air is smeared into it; unchanged outside the head."""
    low, high = SOFT_TISSUE_HU
    tissue = head & (image > low) & (image < high) if modality is Modality.CT else head
    sigma = [BLUR_MM / mm for mm in spacing_mm]
    weight = gaussian_filter(tissue.astype(np.float32), sigma)
    smooth = gaussian_filter(np.where(tissue, image, 0).astype(np.float32), sigma)
    middle = float(image[tissue].mean()) if tissue.any() else 0.0
    inside = np.where(weight > SMALLEST, smooth / np.maximum(weight, SMALLEST), middle)
    return np.where(head, inside, image).astype(np.float32)


def mirrored(array: np.ndarray) -> np.ndarray:
    """Left for right: the model grid is centred on the head, and its last axis runs to the patient's right."""
    flipped: np.ndarray = array[..., ::-1]
    return flipped


def preferred_sides(
    saliency: Float32[np.ndarray, "*S"],
    head: Bool[np.ndarray, "*S"],
    tie_breaker: Float32[np.ndarray, "*S"],
) -> Bool[np.ndarray, "*S"]:
    """Of every pair of mirror voxels in the head the one with more attention, which takes the other's tissue.

    Were both exchanged, a lesion would only change sides.
    """
    other, other_tie = mirrored(saliency), mirrored(tie_breaker)
    more = (saliency > other) | ((saliency == other) & (tie_breaker > other_tie))
    chosen: np.ndarray = head & mirrored(head) & more
    return chosen
