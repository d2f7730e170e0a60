"""The image of a corrected series on the patient's grid, by moving its slices.

The grid of a tilted or unevenly spaced series keeps the slices' own pixels: its planes are parallel to them and its rows
and columns run along theirs. So a plane of the grid is a mixture of two neighbouring slices, moved by a share of a pixel
that is the same for all of it: whole-array arithmetic, where `app.imaging.sampling.oblique` would look up every voxel.
"""

import numpy as np
from jaxtyping import Float32

from app.imaging.content import AIR
from app.imaging.sampling.axis_weights import apply_weights
from app.imaging.sampling.lattice import ACROSS, INSIDE, StoredLattice
from app.imaging.volume import Volume

SAME_STEP_MM = 1e-6
"""Greatest difference between a step of the grid and one of the slices."""

Plane = Float32[np.ndarray, "J I"]


def keeps_pixels(volume: Volume) -> bool:
    """Whether the patient's grid has rows, columns and pixels of the stored slices."""
    steps = np.stack([volume.step_i, volume.step_j], axis=1)
    return bool(np.abs(volume.grid.affine[:3, :2] - steps).max() < SAME_STEP_MM)


def stack_on_grid(volume: Volume) -> Float32[np.ndarray, "I J K"]:
    """Reads a volume on its own grid, as `app.imaging.resample.sample_on_grid` does.

    Args:
        volume: One for which `keeps_pixels` holds.

    Returns:
        Its values, air outside the stored slices; contiguous in Fortran's order, as NIfTI stores it.
    """
    lattice, grid = StoredLattice.of(volume), volume.grid
    first = grid.affine[:3, [3]] + grid.affine[:3, [2]] * np.arange(grid.shape[2])
    i, j, depth = lattice.dual @ first
    k = lattice.slice_index(depth)
    i, j = i - lattice.in_plane_origin(k, 0), j - lattice.in_plane_origin(k, 1)
    smooth = lattice.smoothing(ACROSS, grid.spacing_mm[ACROSS])
    slices = apply_weights(volume.voxels.T, smooth, None, None)
    answer = np.full(grid.shape[::-1], AIR[volume.modality], np.float32)
    for plane, at_k, at_j, at_i in zip(answer, k, j, i, strict=True):
        if -INSIDE <= at_k <= len(slices) - 1 + INSIDE:
            _move(_between(slices, at_k), at_j, at_i, plane)
    return answer.T


def _between(slices: Float32[np.ndarray, "K J I"], k: float) -> Plane:
    """The slice at a fractional index; the end repeats."""
    clamped = min(max(k, 0.0), len(slices) - 1.0)
    lower = int(clamped)
    return _blend(slices[lower], slices[min(lower + 1, len(slices) - 1)], clamped - lower)


def _move(source: Plane, j: float, i: float, plane: Plane) -> None:
    """Writes source[y + j, x + i] to plane[y, x] wherever that lies within half a pixel of the source."""
    rows, columns = (
        _covered(at, size, n) for at, size, n in zip((j, i), source.shape, plane.shape, strict=True)
    )
    if rows.size and columns.size:
        moved = _shifted(_shifted(source, rows, j, 0), columns, i, 1)
        plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = moved


def _covered(start: float, size: int, count: int) -> np.ndarray:
    """Which of `count` places, one apart from `start` on, lie on `size` stored samples."""
    places = start + np.arange(count)
    return np.flatnonzero((places >= -INSIDE) & (places <= size - 1 + INSIDE))


def _shifted(source: Plane, places: np.ndarray, start: float, axis: int) -> Plane:
    whole = int(np.floor(start))
    last = source.shape[axis] - 1
    lower = source.take(np.clip(places + whole, 0, last), axis)
    return _blend(lower, source.take(np.clip(places + whole + 1, 0, last), axis), start - whole)


def _blend(lower: Plane, upper: Plane, share: float) -> Plane:
    if share == 0.0:
        return lower
    mixed: Plane = upper - lower
    mixed *= np.float32(share)
    mixed += lower
    return mixed
