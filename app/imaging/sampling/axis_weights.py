"""Resampling along single axes as sparse matrices: anti-aliasing, linear interpolation. Every row sums to one.

Anti-aliasing. Shrinking without smoothing folds fine detail into wrong places. A voxel is taken as a Gaussian whose full
width at half maximum is the voxel's spacing; convolving Gaussians adds variances, so what turns a stored voxel of spacing
s into a target voxel of spacing t is a Gaussian of variance (t^2 - s^2) / 2.355^2 mm^2, and nothing at all where t <= s
(Cardoso et al., "Scale factor point spread function matching", MICCAI 2015). At the ends the last sample repeats.
"""

import math

import numpy as np
from jaxtyping import Float32, Float64, Real
from scipy.sparse import csr_array

from app.imaging.threads import pieces, side_by_side

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
TRUNCATE_SIGMAS = 4.0
"""Where the Gaussian is cut: 6e-5 of its mass lies beyond. scipy.ndimage's default."""
CACHE_LINE = 16
"""In values of 4 bytes."""
NEGLIGIBLE_SIGMA = 0.1
"""In voxels: below this the neighbour's weight is under 1e-21."""


def antialias_sigma(
    target_mm: float, stored_mm: float | Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, "*n"]:
    """Sigma in mm of the smoothing before samples `stored_mm` apart are read `target_mm` apart."""
    return np.asarray(np.sqrt(np.maximum(target_mm**2 - np.square(stored_mm), 0.0)) / FWHM_PER_SIGMA)


def interpolation(index: Float64[np.ndarray, " m"], size: int) -> csr_array:
    """[m, size] weights that read fractional indices linearly; beyond the ends the end repeats."""
    clamped = np.clip(index, 0, size - 1)
    lower = np.minimum(clamped.astype(np.intp), max(size - 2, 0))
    upper = np.minimum(lower + 1, size - 1)
    share = clamped - lower
    rows = np.arange(len(index))
    return csr_array(
        (np.r_[1 - share, share], (np.r_[rows, rows], np.r_[lower, upper])), shape=(len(index), size)
    )


def smoothing(
    positions_mm: Float64[np.ndarray, " n"], gaps_mm: Float64[np.ndarray, " n"], target_mm: float
) -> csr_array | None:
    """[n, n] anti-aliasing weights between samples that may be unevenly spaced; None where nothing needs smoothing.

    Args:
        positions_mm: Where the samples lie, increasing.
        gaps_mm: Length each sample stands for: its spacing, and its weight in the integral.
        target_mm: Spacing at which the result will be read.
    """
    sigma_mm = antialias_sigma(target_mm, gaps_mm)
    if (sigma_mm < NEGLIGIBLE_SIGMA * gaps_mm).all():
        return None
    n = len(positions_mm)
    radius = math.ceil(TRUNCATE_SIGMAS * float(np.max(sigma_mm)) / float(np.min(gaps_mm)))
    around = np.arange(n)[:, None] + np.arange(-radius, radius + 1)
    inside = np.clip(around, 0, n - 1)
    # A sample beyond an end repeats the end's value at its own, evenly continued place.
    distance = positions_mm[inside] + (around - inside) * gaps_mm[inside] - positions_mm[:, None]
    width = np.maximum(sigma_mm, NEGLIGIBLE_SIGMA * gaps_mm)[:, None]
    weights = np.exp(-0.5 * np.square(distance / width)) * gaps_mm[inside]
    weights[np.abs(distance) > TRUNCATE_SIGMAS * width] = 0.0
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.arange(n + 1) * weights.shape[1]
    matrix = csr_array((weights.ravel(), inside.ravel(), rows), shape=(n, n))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def apply_weights(
    part: Real[np.ndarray, "k j i"],
    along_k: csr_array | None,
    along_j: csr_array | None,
    along_i: csr_array | None,
) -> Float32[np.ndarray, "c b a"]:
    """Applies one matrix per axis (None leaves an axis alone)."""
    return across_slices(within_slices(part, along_j, along_i), along_k)


def within_slices(
    part: Real[np.ndarray, "k j i"], along_j: csr_array | None, along_i: csr_array | None
) -> Float32[np.ndarray, "k b a"]:
    """Applies the matrices of the axes within a slice, converting one slice at a time to float32."""
    along_j, along_i = (None if weights is None else single(weights) for weights in (along_j, along_i))
    rows, columns = (
        size if weights is None else weights.shape[0]
        for size, weights in zip(part.shape[1:], (along_j, along_i), strict=True)
    )
    weighted = np.empty((len(part), rows, columns), np.float32)

    def weigh(piece: slice) -> None:
        row_weights = RowWeights(along_i, part.shape[1:])
        for k in range(piece.start, piece.stop):
            values = row_weights.apply(part[k])
            weighted[k] = values if along_j is None else along_j @ values

    side_by_side(weigh, pieces(len(part)), part.size)
    return weighted


def across_slices(
    part: Float32[np.ndarray, "k ..."], along_k: csr_array | None
) -> Float32[np.ndarray, "c ..."]:
    """Applies the matrix of the axis across slices."""
    if along_k is None:
        return part
    across = single(along_k) @ part.reshape(len(part), -1)
    return np.asarray(across.reshape(-1, *part.shape[1:]))


class RowWeights:
    """Applies a matrix along the rows of slices (None leaves them alone), one slice after the other in the same memory.

    New memory costs more than the arithmetic. A matrix applies to columns, so slices are turned for it and turned back.
    """

    def __init__(self, along: csr_array | None, shape: tuple[int, ...]) -> None:
        rows, columns = shape
        self._along = along
        self._values = np.empty((rows, _pitch(columns)), np.float32)[:, :columns]
        self._turned = np.zeros(0 if along is None else columns * _pitch(rows), np.float32)
        self._weighted = np.empty((rows, 0 if along is None else along.shape[0]), np.float32)

    def apply(self, plane: Real[np.ndarray, "j i"]) -> Float32[np.ndarray, "j a"]:
        """In float32, and in memory that the next call overwrites; a slice, or fewer rows of one."""
        rows, columns = plane.shape
        values, weighted = self._values[:rows], self._weighted[:rows]
        if self._along is None:
            np.copyto(values, plane, casting="unsafe")
            return values
        turned = self._turned[: columns * _pitch(rows)].reshape(columns, -1)
        if abs(plane.strides[0]) < abs(plane.strides[1]):
            np.copyto(turned[:, :rows], plane.T, casting="unsafe")
        else:
            # First to float32, then turned: both at once take longer.
            np.copyto(values, plane, casting="unsafe")
            np.copyto(turned[:, :rows], values.T)
        np.copyto(weighted, (self._along @ turned)[:, :rows].T)
        return weighted


def _pitch(values: int) -> int:
    """Values from row to row, so that a column's do not drive each other from the cache, as 512 do, when rows are turned."""
    return (math.ceil(values / CACHE_LINE) | 1) * CACHE_LINE


def single(weights: csr_array) -> csr_array:
    """In float32, as values are: all sums are made in it."""
    return weights.astype(np.float32)
