"""Where a grid of any direction lies in the stored lattice: index of its places, samples under it, weights to smooth them.

Grid places are sums of one summand per grid axis; here these are arrays that broadcast against each other, so that one
expression serves a place, a row, a plane or the whole grid.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from jaxtyping import Float, Float64, Int
from scipy.sparse import csr_array

from app.imaging.sampling.axis_weights import TRUNCATE_SIGMAS, antialias_sigma
from app.imaging.sampling.lattice import StoredLattice
from app.imaging.volume import Grid

PROBES: Final = 9
"""Places per grid axis at which the stored range under the grid is probed."""
BEYOND: Final = 2
"""Samples on either side of what was probed: the neighbour for interpolation, and one for rounding."""
Summands = list[Float64[np.ndarray, "3 _a _b _c"]]
Index = tuple[Float[np.ndarray, "_a _b _c"], Float[np.ndarray, "_a _b _c"], Float[np.ndarray, "_a _b _c"]]


def spread_out(summands: list[Float64[np.ndarray, "3 n"]]) -> Summands:
    """Summands of `grid_axes_under`, each along its own axis of three."""
    return [np.moveaxis(summand[:, :, None, None], 1, 1 + axis) for axis, summand in enumerate(summands)]


def index_of(lattice: StoredLattice, summands: Summands) -> Index:
    """Fractional stored index (i, j, k) of the sums of the summands."""
    if lattice.is_even:
        i, j, k = (
            (at_a + at_b).astype(np.float32) + at_c.astype(np.float32)
            for at_a, at_b, at_c in (lattice.even_index(axis, summands) for axis in range(3))
        )
        return i, j, k
    i, j, depth = (summands[0][axis] + summands[1][axis] + summands[2][axis] for axis in range(3))
    k = lattice.slice_index(depth)
    return i - lattice.in_plane_origin(k, 0), j - lattice.in_plane_origin(k, 1), k


@dataclass(frozen=True)
class Ranges:
    """The samples that a grid needs, along i, j, k.

    Attributes:
        source: Wide enough for smoothing and interpolation.
        read: Wide enough for interpolation; within `source`.
        along: Anti-aliasing weights of every sample in `read` over those in `source`; None where nothing is smoothed.
    """

    source: tuple[slice, slice, slice]
    read: tuple[slice, slice, slice]
    along: tuple[csr_array | None, csr_array | None, csr_array | None]

    @classmethod
    def under(cls, lattice: StoredLattice, grid: Grid, summands: Summands) -> Self:
        """Probes the grid and makes the weights."""
        probes = [summand.take(_spread(summand.size // 3), 1 + axis) for axis, summand in enumerate(summands)]
        probed = index_of(lattice, probes)
        source, read, along = zip(
            *(
                _under(lattice, stored, probed[stored], target)
                for stored, target in enumerate(_targets_mm(lattice, grid))
            ),
            strict=True,
        )
        return cls(source, read, along)

    @property
    def is_empty(self) -> bool:
        """Whether the grid lies beside the lattice."""
        return any(part.start >= part.stop for part in self.read)


def _targets_mm(lattice: StoredLattice, grid: Grid) -> list[float]:
    """For each stored axis the spacing of the grid axis it is closest to, for which it is smoothed.

    So an oblique thin-slice image looks like one acquired oblique with thick slices: crisp in-plane, thick across.
    """
    spacing = np.array(grid.spacing_mm)
    closest = np.argmax(np.abs(lattice.directions @ (grid.affine[:3, :3] / spacing)), axis=1)
    return [float(spacing[axis]) for axis in closest]


def _under(
    lattice: StoredLattice, stored: int, index: Float[np.ndarray, "a b c"], target_mm: float
) -> tuple[slice, slice, csr_array | None]:
    """Source, read and weights along one stored axis, of which some indices were probed."""
    size, step, wobble = lattice.shape[stored], lattice.finest_mm[stored], lattice.wobble[stored]
    reach = TRUNCATE_SIGMAS * float(antialias_sigma(target_mm, step)) / step
    source = _widened(index, BEYOND + reach + wobble, size)
    # Both what was probed and what was not may lie a wobble beside the straight line between them.
    read = _widened(index, BEYOND + 2 * wobble, size)
    read = slice(max(read.start, source.start), min(read.stop, source.stop))
    weights = lattice.smoothing(stored, target_mm, source) if read.start < read.stop else None
    if weights is None:
        return read, read, None
    return source, read, weights[read.start - source.start : read.stop - source.start]


def _widened(index: Float[np.ndarray, "a b c"], margin: float, size: int) -> slice:
    low, high = int(np.floor(index.min() - margin)), int(np.ceil(index.max() + margin)) + 1
    return slice(max(low, 0), max(min(high, size), 0))


def _spread(size: int) -> Int[np.ndarray, " n"]:
    return np.unique(np.linspace(0, size - 1, PROBES).round().astype(np.intp))
