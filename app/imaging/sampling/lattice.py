"""Where stored voxels lie, asked backwards: from a place in the patient to a (fractional) stored index.

A stack of slices is more than an affine: slice k lies at its own origin. Depth is the distance along the slice normal;
between two slices the origin moves on the straight line that joins them. So the index is (i, j, k) with
k = fraction(depth) and (i, j) = in-plane coordinates of the place relative to origin(k). For an evenly stacked volume,
sheared or not, this is exactly the inverse of its affine.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.sparse import csr_array

from app.imaging.sampling.axis_weights import smoothing
from app.imaging.volume import Grid, Volume

EVEN_MM: Final = 1e-3
"""Slice origins this close to an even line are one; a thousandth of a millimetre is rounding in the file."""
UPRIGHT_MM: Final = 0.05
"""In-plane shift over the whole stack below which the slices count as stacked upright."""
INSIDE: Final = 0.5 + 1e-4
"""Half a voxel beyond the last centre is still inside; the excess absorbs float32 rounding."""
ACROSS: Final = 2
"""The stored axis along which slices are stacked."""


@dataclass(frozen=True)
class StoredLattice:
    """The inverse of a Volume's geometry.

    Attributes:
        shape: (I, J, K).
        dual: [3, 3], rows: the in-plane duals of i and j (1/mm), then the unit normal; dual @ p is (i, j, depth) up to
            the slice's own origin.
        in_plane_mm: Millimetres per step along i and j.
        depths: [K] mm along the normal, strictly increasing.
        offsets: [K, 2], (i, j) of the slice origins under `dual`.
        gaps: [K] mm, how much depth each slice stands for (mean of its two gaps).
    """

    shape: tuple[int, int, int]
    dual: Float64[np.ndarray, "3 3"]
    in_plane_mm: tuple[float, float]
    depths: Float64[np.ndarray, " K"]
    offsets: Float64[np.ndarray, "K 2"]
    gaps: Float64[np.ndarray, " K"]

    @classmethod
    def of(cls, volume: Volume) -> Self:
        """Inverts a volume's geometry; a stack against its normal gets the normal turned, not the slices."""
        normal = np.cross(volume.step_i, volume.step_j)
        normal = normal / np.linalg.norm(normal)
        if (volume.slice_origins[-1] - volume.slice_origins[0]) @ normal < 0:
            normal = -normal
        dual = np.vstack([np.linalg.pinv(np.stack([volume.step_i, volume.step_j], axis=1)), normal])
        placed = volume.slice_origins @ dual.T
        depths = placed[:, ACROSS]
        i, j, k = volume.voxels.shape
        in_plane_mm = float(np.linalg.norm(volume.step_i)), float(np.linalg.norm(volume.step_j))
        gaps = _gaps(depths, volume.grid.spacing_mm[ACROSS])
        return cls((i, j, k), dual, in_plane_mm, depths, placed[:, :ACROSS], gaps)

    @cached_property
    def directions(self) -> Float64[np.ndarray, "3 3"]:
        """Rows: unit vectors of `dual`."""
        return np.asarray(self.dual / np.linalg.norm(self.dual, axis=1, keepdims=True))

    @cached_property
    def is_upright(self) -> bool:
        """Whether no slice is shifted in-plane against the others (no tilt, no shear)."""
        return bool((np.ptp(self.offsets, axis=0) * self.in_plane_mm < UPRIGHT_MM).all())

    @cached_property
    def is_even(self) -> bool:
        """Whether the slice origins form an even straight line, so that the whole lattice is one affine."""
        placed = np.column_stack([self.offsets * self.in_plane_mm, self.depths])
        line = np.linspace(placed[0], placed[-1], len(placed))
        return bool(np.abs(placed - line).max() < EVEN_MM)

    @cached_property
    def finest_mm(self) -> tuple[float, float, float]:
        """Least distance between neighbours along i, j and the normal."""
        return (*self.in_plane_mm, float(self.gaps.min()))

    @cached_property
    def wobble(self) -> tuple[float, float, float]:
        """How far, in voxels, slices lie beside the straight line from the first to the last."""
        share = (self.depths - self.depths[0]) / max(float(np.ptp(self.depths)), EVEN_MM)
        line = self.offsets[0] + share[:, None] * (self.offsets[-1] - self.offsets[0])
        i, j = np.abs(self.offsets - line).max(axis=0)
        return float(i), float(j), 0.0

    def smoothing(self, stored: int, target_mm: float, part: slice = slice(None)) -> csr_array | None:
        """Anti-aliasing weights along one stored axis, for its samples in `part`, before reading `target_mm` apart."""
        if stored == ACROSS:
            return smoothing(self.depths[part], self.gaps[part], target_mm)
        gaps = np.full(self.shape[stored], self.in_plane_mm[stored])[part]
        return smoothing(np.arange(len(gaps)) * gaps, gaps, target_mm)

    def slice_index(self, depth: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
        """Depth in mm to a fractional k; continues past both ends with the end's own gap."""
        last = len(self.depths) - 1
        index = np.interp(depth, self.depths, np.arange(last + 1.0))
        index += np.minimum(depth - self.depths[0], 0.0) / self.gaps[0]
        index += np.maximum(depth - self.depths[last], 0.0) / self.gaps[last]
        return np.asarray(index)

    def in_plane_origin(self, k: Float64[np.ndarray, "*n"], axis: int) -> Float64[np.ndarray, "*n"]:
        """In-plane offset (axis 0: i, 1: j) of the stack at a fractional k, continued past both ends."""
        offsets, last = self.offsets[:, axis], len(self.depths) - 1
        origin = np.interp(k, np.arange(last + 1.0), offsets)
        if last > 0:
            origin += np.minimum(k, 0.0) * (offsets[1] - offsets[0])
            origin += np.maximum(k - last, 0.0) * (offsets[last] - offsets[last - 1])
        return np.asarray(origin)

    def even_index(
        self, stored: int, summands: list[Float64[np.ndarray, "3 ..."]]
    ) -> list[Float64[np.ndarray, "..."]]:
        """Splits the stored index of grid places into one summand per grid axis; for an even stack only."""
        last = max(len(self.depths) - 1, 1)
        gap = float(self.depths[-1] - self.depths[0]) / last or float(self.gaps[0])
        at_k = [summand[ACROSS] / gap for summand in summands]
        at_k[0] = at_k[0] - self.depths[0] / gap
        if stored == ACROSS:
            return at_k
        slope = (self.offsets[-1, stored] - self.offsets[0, stored]) / last
        in_plane = [summand[stored] - slope * k for summand, k in zip(summands, at_k, strict=True)]
        in_plane[0] = in_plane[0] - self.offsets[0, stored]
        return in_plane


def grid_axes_under(dual: Float64[np.ndarray, "3 3"], grid: Grid) -> list[Float64[np.ndarray, "3 n"]]:
    """Splits dual @ (place of a grid voxel) into one summand per grid axis; the first holds the origin too."""
    linear, origin = dual @ grid.affine[:3, :3], dual @ grid.affine[:3, 3]
    summands = [linear[:, [axis]] * np.arange(size) for axis, size in enumerate(grid.shape)]
    summands[0] = summands[0] + origin[:, None]
    return summands


def _gaps(depths: Float64[np.ndarray, " K"], single_slice_mm: float) -> Float64[np.ndarray, " K"]:
    if len(depths) == 1:
        return np.array([single_slice_mm])
    between = np.diff(depths)
    return np.asarray((np.r_[between[0], between] + np.r_[between, between[-1]]) / 2)


def inside(index: tuple[Float[np.ndarray, "*n"], ...], shape: tuple[int, ...]) -> Bool[np.ndarray, "*n"]:
    """Whether fractional indices along some axes lie within half a voxel of the samples there."""
    held = np.ones(index[0].shape, np.bool_)
    for at, size in zip(index, shape, strict=True):
        held &= (at >= -INSIDE) & (at <= size - 1 + INSIDE)
    return held
