"""Trilinear reading at scattered places, in float32 and without temporary copies of the volume.

Eight gathers and seven blends in numpy, i first and k last; two to four times as fast as
`scipy.ndimage.map_coordinates(order=1)`, which works in float64 and takes coordinates as one stacked array.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

Places = Float[np.ndarray, "*#n"]


class Cells(NamedTuple):
    """Between which samples of an axis places lie.

    Attributes:
        lower: Index of the lower neighbour.
        step: From it to the upper neighbour: 1, or 0 on an axis of a single sample.
        share: The upper neighbour's.
    """

    lower: Int[np.ndarray, "*n"]
    step: int
    share: Float32[np.ndarray, "*n"]

    def strided(self, stride: int) -> "Cells":
        """The same in memory where neighbours lie `stride` apart."""
        return Cells(self.lower * stride, self.step * stride, self.share)

    def some(self, which: slice) -> "Cells":
        """Some of them."""
        return Cells(self.lower[which], self.step, self.share[which])


def cells(at: Float[np.ndarray, "*n"], size: int) -> Cells:
    """Neighbours at fractional indices into `size` samples; beyond the ends the end repeats."""
    clamped = np.clip(at, 0, size - 1)
    lower = np.minimum(clamped.astype(np.intp), max(size - 2, 0))
    return Cells(lower, 1 if size > 1 else 0, (clamped - lower).astype(np.float32))


def read_trilinear(
    part: Float32[np.ndarray, "K J I"], k: Places, j: Places, i: Places
) -> Float32[np.ndarray, "*n"]:
    """Values at fractional indices; beyond the ends the end repeats.

    Args:
        part: C-contiguous.
        k: Index along the first axis.
        j: Index along the second axis.
        i: Index along the third axis.
    """
    size_k, size_j, size_i = part.shape
    along = [cells(k, size_k).strided(size_j * size_i), cells(j, size_j).strided(size_i), cells(i, size_i)]
    return _read(part.reshape(-1), along[0].lower + along[1].lower + along[2].lower, along)


def blend(
    lower: Float32[np.ndarray, "..."], upper: Float32[np.ndarray, "..."], share: Float32[np.ndarray, "..."]
) -> Float32[np.ndarray, "..."]:
    """(1 - share) * lower + share * upper, in `lower`'s and `upper`'s own memory."""
    upper -= lower
    upper *= share
    lower += upper
    return lower


def _read(
    samples: Float32[np.ndarray, " s"], base: Int[np.ndarray, "*n"], along: list[Cells]
) -> Float32[np.ndarray, "*n"]:
    """Blends the two readings of the first axis, each of them read along the rest."""
    if not along:
        return np.asarray(samples.take(base))
    (_, step, share), *rest = along
    return blend(_read(samples, base, rest), _read(samples[step:], base, rest), share)
