"""A volume every few millimetres: all that finding and judging the head needs, read once.

Each axis is read at places symmetric about its middle, so that storage order and flips cannot matter.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
from jaxtyping import Float32, Float64, Real

from app.imaging.sampling.lattice import StoredLattice
from app.imaging.sampling.trilinear import Cells, cells
from app.imaging.volume import Volume

COARSE_MM: Final = 4.0
SAME_STEPS: Final = 1e-3
"""How far short of a whole number of steps an extent still counts as it: where a millimetre was written as 0.9999999, one place fewer would shift all others
by half a step."""


@dataclass(frozen=True)
class Coarse:
    """The volume every few millimetres.

    Attributes:
        values: [K', J', I'], read linearly between the stored voxels.
        indices: Their stored (fractional) indices along k, j, i.
        steps_mm: Millimetres per step along k, j, i.
        lattice: Where the stored voxels lie.
    """

    values: Float32[np.ndarray, "k j i"]
    indices: tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " j"], Float64[np.ndarray, " i"]]
    steps_mm: tuple[float, float, float]
    lattice: StoredLattice

    @classmethod
    def of(cls, volume: Volume, lattice: StoredLattice) -> Self:
        """Reads every `COARSE_MM` (not finer than stored) by linear interpolation."""
        i, j, k = volume.voxels.shape
        step_i, step_j = lattice.in_plane_mm
        depth = lattice.depths[-1] - lattice.depths[0]
        at_i = _symmetric(i - 1, max(COARSE_MM / step_i, 1.0))
        at_j = _symmetric(j - 1, max(COARSE_MM / step_j, 1.0))
        at_depth = _symmetric(depth, max(COARSE_MM, depth / max(k - 1, 1)))
        at_k = np.clip(lattice.slice_index(lattice.depths[0] + at_depth), 0, k - 1)
        values = _read(volume.voxels.T, cells(at_k, k), cells(at_j, j), cells(at_i, i))
        steps = (_step(at_depth, COARSE_MM), _step(at_j, 1.0) * step_j, _step(at_i, 1.0) * step_i)
        return cls(values, (at_k, at_j, at_i), steps, lattice)

    @property
    def voxel_ml(self) -> float:
        """Millilitres for which one value stands."""
        return float(np.prod(self.steps_mm)) / 1000.0

    def slice_origins(self, volume: Volume) -> Float64[np.ndarray, "k 3"]:
        """RAS millimetres of stored index (0, 0) in every coarse slice."""
        order = np.arange(len(volume.slice_origins), dtype=np.float64)
        return np.stack(
            [np.interp(self.indices[0], order, volume.slice_origins[:, axis]) for axis in range(3)], 1
        )

    def place(self, volume: Volume, axis: int) -> Float64[np.ndarray, "k j i"]:
        """As `coordinate`, to the last bit of double precision: the model's grid hangs from it."""
        _, j, i = self.indices
        origins = self.slice_origins(volume)[:, axis, None, None]
        in_row = origins + i * volume.step_i[axis]
        return np.asarray(in_row + j[:, None] * volume.step_j[axis])

    def coordinate(self, volume: Volume, axis: int) -> Float32[np.ndarray, "k j i"]:
        """One RAS coordinate in millimetres of every value; axis 0 Right, 1 Anterior, 2 Superior."""
        origins = self.slice_origins(volume)[:, axis, None, None]
        along_j = self.indices[1][None, :, None] * volume.step_j[axis]
        along_i = self.indices[2][None, None, :] * volume.step_i[axis]
        in_plane = (along_j + along_i).astype(np.float32)
        return np.asarray(origins.astype(np.float32) + in_plane)


def _symmetric(extent: float, step: float) -> Float64[np.ndarray, " n"]:
    """Places 0..extent, `step` apart (finer only by rounding), symmetric about the middle."""
    count = int(extent / max(step, 1e-9) + SAME_STEPS) + 1 if extent > 0 else 1
    step = min(step, extent / max(count - 1, 1))
    return np.asarray(extent / 2 + (np.arange(count) - (count - 1) / 2) * step)


def _step(places: Float64[np.ndarray, " n"], otherwise: float) -> float:
    return float(places[1] - places[0]) if len(places) > 1 else otherwise


def _read(voxels: Real[np.ndarray, "K J I"], k: Cells, j: Cells, i: Cells) -> Float32[np.ndarray, "k j i"]:
    """Slices first, and of each only the rows and columns that will be read: little is touched, and less is kept."""
    values = np.empty((len(k.share), len(j.share), len(i.share)), np.float32)
    rows, columns = (np.r_[line.lower, line.lower + line.step] for line in (j, i))
    share_j, above_k = j.share[:, None], k.lower + k.step

    # Consecutive readings lie between the same two slices, or share one.
    @lru_cache(maxsize=2)
    def touched(stored: int) -> Float32[np.ndarray, "2j 2i"]:
        return np.asarray(voxels[stored][rows].take(columns, axis=1), np.float32)

    for n, (below, above, share) in enumerate(zip(k.lower.tolist(), above_k.tolist(), k.share, strict=True)):
        plane = touched(below) * (1 - share) + touched(above) * share
        lines = plane[: len(j.share)] * (1 - share_j) + plane[len(j.share) :] * share_j
        values[n] = lines[:, : len(i.share)] * (1 - i.share) + lines[:, len(i.share) :] * i.share
    return values
