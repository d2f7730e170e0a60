"""Resampling where the grid is oblique to the stored axes: smooth the part under the grid, then read point by point.

Within slices the part is smoothed as a whole, a slice at a time; across slices for a block of the grid's planes at a time,
which is then read. Rows that run along stored rows are read whole (`app.imaging.sampling.oblique_rows`).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Float32, Real
from scipy.sparse import csr_array

from app.imaging.sampling.axis_weights import across_slices, within_slices
from app.imaging.sampling.lattice import ACROSS, StoredLattice, grid_axes_under, inside
from app.imaging.sampling.oblique_ranges import Ranges, Summands, index_of, spread_out
from app.imaging.sampling.oblique_rows import read_rows, rows_run_along_last_axis
from app.imaging.sampling.trilinear import read_trilinear
from app.imaging.threads import side_by_side
from app.imaging.volume import Grid

BLOCK: Final = 1 << 15
"""Places that are read at a time. More smooth fewer slices twice; fewer need less memory."""


def sample_oblique(
    voxels: Real[np.ndarray, "I J K"], lattice: StoredLattice, grid: Grid, fill: float
) -> Float32[np.ndarray, "A B C"]:
    """Reads voxels on a grid of any direction; where rows can be read whole, the answer lies in memory along them."""
    order = _rows_last(lattice, grid)
    turned = grid.permuted(order)
    summands = spread_out(grid_axes_under(lattice.dual, turned))
    ranges = Ranges.under(lattice, turned, summands)
    answer = np.full(turned.shape, fill, np.float32)
    if not ranges.is_empty:
        read = read_rows if rows_run_along_last_axis(lattice, summands) else _read_places
        read(voxels[ranges.source].T, lattice, ranges, summands, answer)
    return answer.transpose(np.argsort(order))


def _rows_last(lattice: StoredLattice, grid: Grid) -> tuple[int, int, int]:
    """The grid's axes, the one closest to the stored rows last and the others as they come."""
    steps = grid.affine[:3, :3] / np.array(grid.spacing_mm)
    last = int(np.argmax(np.abs(lattice.directions[0] @ steps)))
    first, second = (axis for axis in range(3) if axis != last)
    return first, second, last


@dataclass(frozen=True)
class _Smoothed:
    """The part under a grid: smoothed within slices, and across them when it is asked for.

    Attributes:
        part: Slices of the source.
        across: Weights of the slices that may be read over those of the source.
    """

    part: Float32[np.ndarray, "K J *I"]
    across: csr_array | None

    def around(self, k: Float[np.ndarray, "*n"]) -> tuple[Float32[np.ndarray, "N J *I"], int]:
        """The slices between which some k lie, and the index of the first of them."""
        size = len(self.part) if self.across is None else self.across.shape[0]
        # At the last slice the last pair is read.
        first = max(min(int(k.min()), size - 2), 0)
        rows = slice(first, min(int(k.max()) + 2, size))
        return (
            self.part[rows] if self.across is None else across_slices(self.part, self.across[rows])
        ), first


def _read_places(
    source: Real[np.ndarray, "K J I"],
    lattice: StoredLattice,
    ranges: Ranges,
    summands: Summands,
    answer: Float32[np.ndarray, "A B C"],
) -> None:
    """Reads each place by itself."""
    along_i, along_j, along_k = ranges.along
    smoothed = _Smoothed(within_slices(source, along_j, along_i), along_k)
    start_i, start_j, start_k = (part.start for part in ranges.read)

    def read(block: tuple[slice, ...]) -> None:
        index = index_of(lattice, _of_block(summands, block))
        held = inside(index, lattice.shape)
        box = _box(held)
        if box is None:
            return
        i, j, k = (at[box] for at in index)
        part, first = smoothed.around(k[held[box]] - start_k)
        values = read_trilinear(part, k - (start_k + first), j - start_j, i - start_i)
        np.copyto(answer[block][box], values, where=held[box])

    side_by_side(read, _blocks(summands, answer.shape), answer.size)


def _blocks(summands: Summands, shape: tuple[int, int, int]) -> list[tuple[slice, ...]]:
    """Cuts a grid into blocks of whole planes, across the axis that runs most through the stored slices."""
    lead = int(np.argmax([np.ptp(summand[ACROSS]) for summand in summands]))
    sizes = [summand.size // 3 for summand in summands]
    thickness = max(BLOCK * sizes[lead] // math.prod(sizes), 1)
    whole = [slice(size) for size in shape]
    return [
        (*whole[:lead], slice(start, start + thickness), *whole[lead + 1 :])
        for start in range(0, sizes[lead], thickness)
    ]


def _of_block(summands: Summands, block: tuple[slice, ...]) -> Summands:
    along = [(slice(None),) * (1 + axis) + (part,) for axis, part in enumerate(block)]
    return [summand[where] for summand, where in zip(summands, along, strict=True)]


def _box(held: Bool[np.ndarray, "a b c"]) -> tuple[slice, slice, slice] | None:
    """The smallest box with everything that is held."""
    if not held.any():
        return None
    along = (np.flatnonzero(held.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    a, b, c = (slice(int(axis[0]), int(axis[-1]) + 1) for axis in along)
    return a, b, c
