"""Maps that know nothing of the network: what a heatmap has to beat before its overlap means anything."""

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from app.imaging.head.find import tissue_threshold
from app.imaging.volume import Modality

BLOOD_HU = (50.0, 90.0)
"""Fresh blood in a brain; at this resolution also the partial volume of bone and brain, as any threshold finds it."""


def head_mask(image: Float32[np.ndarray, "*S"], modality: Modality) -> Bool[np.ndarray, "*S"]:
    """The head on the model grid: the largest body of tissue, with its cavities; everything where there is none."""
    tissue = image > tissue_threshold(image, modality)
    labels, count = ndimage.label(tissue)
    if not count:
        return np.ones(image.shape, dtype=np.bool_)
    body = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    outside, _ = ndimage.label(~body)
    reached = np.unique(np.concatenate([_faces(outside, axis) for axis in range(image.ndim)]))
    # Label 0 is the body itself.
    filled: np.ndarray = ~np.isin(outside, reached[reached > 0])
    return filled


def _faces(labels: np.ndarray, axis: int) -> np.ndarray:
    """Labels on both outer faces across an axis."""
    return np.concatenate([labels.take(0, axis).ravel(), labels.take(-1, axis).ravel()])


def centre_gaussian(head: Bool[np.ndarray, "*S"]) -> Float32[np.ndarray, "*S"]:
    """A Gaussian with the head's own centre and spread along each axis: lesions are seldom at the rim."""
    result = np.ones([1] * head.ndim)
    for axis, size in enumerate(head.shape):
        weight = head.sum(axis=tuple(other for other in range(head.ndim) if other != axis))
        place = np.arange(size)
        mean = np.average(place, weights=weight)
        variance = np.average((place - mean) ** 2, weights=weight) + 1e-6
        line = np.exp(-0.5 * (place - mean) ** 2 / variance)
        result = result * line.reshape([-1 if other == axis else 1 for other in range(head.ndim)])
    return result.astype(np.float32)


def baselines(
    image: Float32[np.ndarray, "*S"], head: Bool[np.ndarray, "*S"], modality: Modality
) -> dict[str, Float32[np.ndarray, "*S"]]:
    """The baselines of one image, by name.

    Args:
        image: On the model grid; HU for CT.
        head: From `head_mask`.
        modality: Decides whether intensities mean anything.
    """
    maps = {"Centre Gaussian": centre_gaussian(head), "Head": head.astype(np.float32)}
    if modality is Modality.CT:
        low, high = BLOOD_HU
        maps["CT 50-90 HU"] = (head & (image >= low) & (image <= high)).astype(np.float32)
    return maps
