"""One map held against one mask, on the model grid. Every number is the same for a map and a positive multiple of it.

Where several voxels share one value, what is given is the expectation over a random order among them, so that a flat map
scores exactly chance and no number depends on the order of voxels in memory.

    pointing         the peak lies in the mask or next to it (Zhang et al. 2018, doi:10.1007/s11263-017-1059-x)
    relevance mass   sum of the positive part inside / sum of the positive part (Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008)
    relevance rank   share of the |M| highest voxels that lie inside (ibid.)
    auprc            average precision of the voxels as a detector of the mask
    dice             at every threshold of `THRESHOLDS`; which one is reported is fixed on validation cases
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy.ndimage import maximum_filter

THRESHOLDS = np.arange(1, 20) / 20
"""Shares of the map's maximum."""


@dataclass(frozen=True)
class Region:
    """What a map should point at.

    Attributes:
        inside: The mask; not empty.
        near: Inside, or within the tolerance of it.
    """

    inside: Bool[np.ndarray, "*S"]
    near: Bool[np.ndarray, "*S"]

    @classmethod
    def of(cls, inside: Bool[np.ndarray, "*S"], tolerance: Sequence[int]) -> "Region":
        """Widen a mask by a box of `tolerance` voxels to either side along each axis."""
        box = [2 * step + 1 for step in tolerance]
        return cls(inside, maximum_filter(inside, size=box, mode="constant", cval=False))


@dataclass(frozen=True)
class Overlap:
    """What one map is worth on one case; `dice` [T] at `THRESHOLDS`."""

    pointing: float
    pointing_strict: float
    relevance_mass: float
    relevance_rank: float
    auprc: float
    dice: Float64[np.ndarray, " T"]


def overlap(saliency: Float32[np.ndarray, "*S"], region: Region) -> Overlap:
    """Hold a map against a mask.

    Args:
        saliency: Higher where the map points; only mass and Dice look at its zero.
        region: The mask.
    """
    flat, inside = saliency.ravel(), region.inside.ravel()
    at_peak = flat == flat.max()
    positive = np.maximum(flat, 0)
    total = float(positive.sum(dtype=np.float64))
    level, selected, found = _ranked(flat, inside)
    size = int(inside.sum())
    gained = np.diff(found, prepend=0) / size
    return Overlap(
        pointing=float(region.near.ravel()[at_peak].mean()),
        pointing_strict=float(inside[at_peak].mean()),
        relevance_mass=float(positive[inside].sum(dtype=np.float64)) / total if total > 0 else 0.0,
        relevance_rank=float(np.interp(size, np.r_[0, selected], np.r_[0, found])) / size,
        auprc=float((gained * found / selected).sum()),
        dice=_dice(level, selected, found, size),
    )


def _ranked(
    flat: Float32[np.ndarray, " N"], inside: Bool[np.ndarray, " N"]
) -> tuple[Float32[np.ndarray, " G"], Float64[np.ndarray, " G"], Float64[np.ndarray, " G"]]:
    """Distinct values of the map, falling; voxels at or above each; of them inside the mask."""
    order = np.argsort(-flat)
    values = flat[order]
    last = np.flatnonzero(np.diff(values, append=-np.inf))
    return values[last], last + 1.0, np.cumsum(inside[order], dtype=np.float64)[last]


def _dice(
    level: Float32[np.ndarray, " G"],
    selected: Float64[np.ndarray, " G"],
    found: Float64[np.ndarray, " G"],
    size: int,
) -> Float64[np.ndarray, " T"]:
    """Of {map >= threshold * maximum} and the mask; 0 for a map with nothing positive."""
    if level[0] <= 0:
        return np.zeros_like(THRESHOLDS)
    # In float64, where a multiple of a float32 map keeps its order against the thresholds.
    above = np.searchsorted(-level.astype(np.float64) / float(level[0]), -THRESHOLDS, side="right") - 1
    dice: np.ndarray = 2 * found[above] / (selected[above] + size)
    return dice
