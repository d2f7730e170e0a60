"""Shapes as depth functions: millimetres below the surface, positive inside, on lattices in the head's own frame.

The head frame is RAS+ in millimetres with its origin near the anterior commissure, as in the MNI atlases.
Smooth functions are evaluated on a coarse lattice and interpolated separably, which is what makes a phantom cheap.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy.ndimage import gaussian_filter, map_coordinates

Field = Float32[np.ndarray, "..."]
Point = tuple[float, float, float]
INTERPOLATED_TAPS = 4


@dataclass(frozen=True)
class Lattice:
    """An axis-aligned lattice in the head frame.

    Attributes:
        origin: Centre of voxel (0, 0, 0), mm.
        step: Distance of neighbours along every axis, mm.
        shape: Voxels along x, y, z.
    """

    origin: Point
    step: float
    shape: tuple[int, int, int]

    @classmethod
    def covering(cls, low: Point, high: Point, step: float) -> "Lattice":
        """The lattice from `low` to at least `high`."""
        x, y, z = (int(np.ceil((b - a) / step)) + 1 for a, b in zip(low, high, strict=True))
        return cls(low, step, (x, y, z))

    def axis(self, index: int) -> Float32[np.ndarray, " n"]:
        """Coordinates along one axis, mm."""
        return np.asarray(self.origin[index] + self.step * np.arange(self.shape[index]), np.float32)

    def axes(self) -> tuple[Field, Field, Field]:
        """Coordinates x [X,1,1], y [1,Y,1], z [1,1,Z] that broadcast to the lattice."""
        x, y, z = (self.axis(index) for index in range(3))
        return x[:, None, None], y[None, :, None], z[None, None, :]

    def window(self, low: Point, high: Point) -> tuple["Lattice", tuple[slice, slice, slice]]:
        """The part of this lattice inside a box, and where it lies in an array of this lattice."""
        starts = [max(0, int((low[i] - self.origin[i]) / self.step)) for i in range(3)]
        stops = [
            min(self.shape[i], max(starts[i] + 1, int((high[i] - self.origin[i]) / self.step) + 2))
            for i in range(3)
        ]
        x, y, z = (self.origin[i] + starts[i] * self.step for i in range(3))
        i, j, k = (stop - start for start, stop in zip(starts, stops, strict=True))
        slices = (slice(starts[0], stops[0]), slice(starts[1], stops[1]), slice(starts[2], stops[2]))
        return Lattice((x, y, z), self.step, (i, j, k)), slices


def ellipsoid_depth(axes: tuple[Field, Field, Field], centre: Point, semi: Point) -> Field:
    """Depth below an ellipsoid's surface, near enough to millimetres for shapes that are not flat."""
    squares = [((axis - c) / s) ** 2 for axis, c, s in zip(axes, centre, semi, strict=True)]
    radius = np.sqrt(squares[0] + squares[1] + squares[2])
    mean = np.float32(np.cbrt(semi[0] * semi[1] * semi[2]))
    return np.asarray((np.float32(1) - radius) * mean, np.float32)


def tube_depth(
    axes: tuple[Field, Field, Field], ends: tuple[Point, Point], radii: tuple[float, float]
) -> Field:
    """Depth below the surface of a capsule whose radius changes linearly from one end to the other."""
    start, stop = (np.asarray(end, np.float32) for end in ends)
    along = stop - start
    offsets = [axis - origin for axis, origin in zip(axes, start, strict=True)]
    position = sum(offset * component for offset, component in zip(offsets, along, strict=True))
    t = np.clip(position / np.float32(along @ along), 0, 1)
    squares = [(offset - t * component) ** 2 for offset, component in zip(offsets, along, strict=True)]
    radius = np.float32(radii[0]) + t * np.float32(radii[1] - radii[0])
    return np.asarray(radius - np.sqrt(squares[0] + squares[1] + squares[2]), np.float32)


def interpolate(coarse: Field, source: Lattice, target: Lattice) -> Field:
    """Cubic interpolation of a smooth field from one lattice to another, one axis at a time."""
    x, y, z = (_cubic_weights(source.axis(i), target.axis(i), source.step) for i in range(3))
    field = np.matmul(y, coarse @ z.T)  # every product leaves its result in C order: no copies
    return np.asarray((x @ field.reshape(len(field), -1)).reshape(target.shape), np.float32)


def smooth_noise(
    lattice: Lattice, wavelength_mm: float, rng: np.random.Generator, positions: list[Field] | None = None
) -> Field:
    """Band-limited Gaussian noise of unit variance.

    Args:
        lattice: Where the noise lives.
        wavelength_mm: Typical distance between crests.
        rng: Source of the white noise.
        positions: Where to look the noise up (x, y, z in mm, broadcast to the lattice); by default at the lattice.
    """
    sigma = wavelength_mm / (2 * np.pi) / lattice.step
    white = rng.standard_normal(lattice.shape, dtype=np.float32)
    band = gaussian_filter(white, sigma, mode="wrap") - gaussian_filter(white, 1.6 * sigma, mode="wrap")
    band /= band.std()
    if positions is None:
        return np.asarray(band, np.float32)
    indices = np.stack(
        [
            np.broadcast_to((where - start) / lattice.step, lattice.shape)
            for where, start in zip(positions, lattice.origin, strict=True)
        ]
    )
    return np.asarray(map_coordinates(band, indices, order=1, mode="grid-wrap"), np.float32)


def fraction(depth: Field, edge_mm: float) -> Field:
    """Share of a voxel below a surface: 0 outside, 1 inside, linear across an edge of the given width."""
    return np.asarray(np.clip(depth * np.float32(1 / edge_mm) + np.float32(0.5), 0, 1))


def _cubic_weights(
    source: Float32[np.ndarray, " m"], target: Float32[np.ndarray, " n"], step: float
) -> Float32[np.ndarray, "n m"]:
    """Catmull-Rom weights (Keys 1981, a = -1/2); positions beyond the ends take the end values."""
    position = np.clip((np.asarray(target, np.float64) - source[0]) / step, 0, len(source) - 1)
    first = np.floor(position).astype(int) - 1
    weights = np.zeros((len(target), len(source)))
    for tap in range(INTERPOLATED_TAPS):
        column = np.clip(first + tap, 0, len(source) - 1)
        np.add.at(weights, (np.arange(len(target)), column), _keys(np.abs(position - (first + tap))))
    return weights.astype(np.float32)


def _keys(distance: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))  # noqa: PLR2004
