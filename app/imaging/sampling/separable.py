"""Resampling where the stored axes are parallel to the grid's: one weight matrix per axis does it all."""

import numpy as np
from jaxtyping import Float32, Float64, Real
from scipy.sparse import csr_array

from app.imaging.sampling.axis_weights import apply_weights, interpolation
from app.imaging.sampling.lattice import INSIDE, StoredLattice, grid_axes_under
from app.imaging.volume import Grid

PARALLEL = 1e-4
"""Greatest share of another axis, as a slope: 0.025 mm over 250 mm."""


def parallel_axes(lattice: StoredLattice, grid: Grid) -> tuple[int, int, int] | None:
    """Which grid axis runs along stored i, j and the normal; None where any is oblique or slices are shifted."""
    across = np.abs(lattice.directions @ grid.affine[:3, :3]) / np.array(grid.spacing_mm)
    axes = np.argmax(across, axis=1)
    rest = across.copy()
    rest[np.arange(3), axes] = 0.0
    if len(set(axes)) < len(axes) or rest.max() > PARALLEL or not lattice.is_upright:
        return None
    i, j, k = (int(axis) for axis in axes)
    return i, j, k


def sample_parallel(
    voxels: Real[np.ndarray, "I J K"],
    lattice: StoredLattice,
    grid: Grid,
    axes: tuple[int, int, int],
    fill: float,
) -> Float32[np.ndarray, "A B C"]:
    """Reads voxels on a grid whose axes `axes` run along stored i, j, k."""
    indices = _indices(lattice, grid, axes)
    weights, touched = [], []
    for stored, index in enumerate(indices):
        smooth = lattice.smoothing(stored, grid.spacing_mm[axes[stored]])
        read_index = interpolation(index, lattice.shape[stored])
        along, where = _cropped(read_index if smooth is None else read_index @ smooth)
        weights.append(along)
        touched.append(where)
    read = apply_weights(voxels[tuple(touched)].T, *reversed(weights))
    for stored, index in enumerate(indices):
        outside = (index < -INSIDE) | (index > lattice.shape[stored] - 1 + INSIDE)
        np.moveaxis(read, 2 - stored, 0)[outside] = fill
    # `read` is ordered (k, j, i) of the stored axes; put each where the grid has it.
    return np.ascontiguousarray(read.transpose(np.argsort([axes[2], axes[1], axes[0]])))


def _indices(
    lattice: StoredLattice, grid: Grid, axes: tuple[int, int, int]
) -> list[Float64[np.ndarray, " n"]]:
    """Fractional stored index along i, j, k of each grid coordinate, as seen from the grid's middle."""
    summands = grid_axes_under(lattice.dual, grid)
    middle = [summand[:, summand.shape[1] // 2] for summand in summands]

    def along(stored: int) -> Float64[np.ndarray, " n"]:
        others = sum(middle[axis][stored] for axis in range(3) if axis != axes[stored])
        return np.asarray(summands[axes[stored]][stored] + others)

    offset_i, offset_j = lattice.offsets.mean(axis=0)
    return [along(0) - offset_i, along(1) - offset_j, lattice.slice_index(along(2))]


def _cropped(weights: csr_array) -> tuple[csr_array, slice]:
    """The columns of a weight matrix that are used, and which they are."""
    touched = slice(int(weights.indices.min()), int(weights.indices.max()) + 1)
    return weights[:, touched], touched
