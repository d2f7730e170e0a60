"""Voxels in the world: evenly spaced inside a slice, slices wherever they were cut."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64

from training.phantoms.ct.noise import Waves
from training.phantoms.ct.shapes import Points


class Box(NamedTuple):
    """Ranges of voxels along i, j, k."""

    i: slice
    j: slice
    k: slice


@dataclass(frozen=True)
class SliceLattice:
    """Voxels in space, uneven slices included; any right-handed frame in mm.

    Attributes:
        step_i: From voxel (i, j, k) to (i + 1, j, k).
        step_j: From voxel (i, j, k) to (i, j + 1, k).
        origins: [K, 3] of voxel (0, 0, k).
        shape: Voxels along i, j, k.
    """

    step_i: Float64[np.ndarray, "3"]
    step_j: Float64[np.ndarray, "3"]
    origins: Float64[np.ndarray, "K 3"]
    shape: tuple[int, int, int]

    @property
    def normal(self) -> Float64[np.ndarray, "3"]:
        """Unit normal of the slices."""
        normal = np.cross(self.step_i, self.step_j)
        return np.asarray(normal / np.linalg.norm(normal))

    def gaps_mm(self) -> Float64[np.ndarray, " K"]:
        """Height that each slice stands for: half the way to both neighbours."""
        gaps = np.abs(np.diff(self.origins @ self.normal))
        return np.concatenate([gaps[:1], (gaps[:-1] + gaps[1:]) / 2, gaps[-1:]])

    def voxel_ml(self) -> Float64[np.ndarray, " K"]:
        """Volume that one voxel of each slice stands for."""
        return self.gaps_mm() * float(np.linalg.norm(np.cross(self.step_i, self.step_j))) / 1000

    def box(self, centre: Float64[np.ndarray, "3"], reach_mm: float) -> Box:
        """Voxels within a cube's reach of a point."""
        near = np.flatnonzero(np.abs((self.origins - centre) @ self.normal) <= reach_mm)
        if near.size == 0:
            near = np.array([int(np.argmin(np.abs((self.origins - centre) @ self.normal)))])
        ks = slice(int(near[0]), int(near[-1]) + 1)
        return Box(
            self._range(0, self.step_i, centre, reach_mm, ks),
            self._range(1, self.step_j, centre, reach_mm, ks),
            ks,
        )

    def noise(self, box: Box, waves: Waves, lift_mm: float = 0.0) -> Float32[np.ndarray, "i j k"]:
        """A smooth field at the box's voxels, lifted along the normal."""
        origins = self.origins[box.k] + lift_mm * self.normal
        along_i = np.outer(np.arange(box.i.start, box.i.stop), self.step_i)
        along_j = np.outer(np.arange(box.j.start, box.j.stop), self.step_j)
        return np.ascontiguousarray(waves.on_lattice(origins, along_i, along_j).transpose(1, 2, 0))

    def _range(
        self, axis: int, step: Float64[np.ndarray, "3"], centre: np.ndarray, reach: float, ks: slice
    ) -> slice:
        spacing = float(np.linalg.norm(step))
        at = (centre - self.origins[ks]) @ step / spacing**2
        low, high = at.min() - reach / spacing, at.max() + reach / spacing
        start = int(np.clip(low, 0, self.shape[axis] - 1))
        return slice(start, int(np.clip(high + 2, start + 1, self.shape[axis])))

    def offsets(self, box: Box, centre: Float64[np.ndarray, "3"], lift_mm: float = 0.0) -> Points:
        """Positions of the box's voxels relative to a point, [i, j, k], lifted along the normal."""
        i = np.arange(box.i.start, box.i.stop)[:, None, None]
        j = np.arange(box.j.start, box.j.stop)[None, :, None]
        base = self.origins[box.k] - centre + lift_mm * self.normal
        return Points(
            *(
                np.asarray(
                    i * self.step_i[axis] + j * self.step_j[axis] + base[None, None, :, axis], np.float32
                )
                for axis in range(3)
            )
        )
