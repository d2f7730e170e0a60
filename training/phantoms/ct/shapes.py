"""Depth functions at scattered points: millimetres below a surface, positive inside.

Written for points (x, y, z arrays of one shape) rather than for an axis-aligned lattice, since slices are tilted and
heads are turned. All in the head frame: RAS+ mm, origin near the anterior commissure.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int

Field = Float32[np.ndarray, "..."]
Point = tuple[float, float, float]


class Points(NamedTuple):
    """Positions in the head frame, mm; x, y and z of one shape."""

    x: Field
    y: Field
    z: Field

    @property
    def mirrored(self) -> "Points":
        """The same points on the right side of the head: shapes that come in pairs are written once."""
        return Points(np.abs(self.x), self.y, self.z)


@dataclass(frozen=True)
class Region:
    """A part of the points, so that what exists only there costs nothing elsewhere.

    Attributes:
        index: Flat positions of the part's points.
        shape: Of the whole.
    """

    index: Int[np.ndarray, " n"]
    shape: tuple[int, ...]

    @classmethod
    def where(cls, condition: Bool[np.ndarray, "K 2 A B"]) -> "Region":
        """The nodes where a condition holds at either height: a node is in or out as a whole."""
        either = np.broadcast_to(condition.any(axis=1, keepdims=True), condition.shape)
        return cls(np.flatnonzero(either), condition.shape)

    def take(self, field: Field) -> Field:
        """The field at the part's points, [n]."""
        return np.asarray(field.ravel()[self.index])

    def points(self, p: Points) -> Points:
        """The part's points."""
        return Points(*(self.take(axis) for axis in p))

    def put(self, values: Field, elsewhere: float) -> Field:
        """A field of the whole shape: `values` here and one value everywhere else."""
        whole = np.full(self.shape, elsewhere, np.float32)
        whole.ravel()[self.index] = values
        return whole


def oval(p: Points, centre: Point, semi: Point) -> Field:
    """Depth below an ellipsoid with the given semi-axes; first-order exact at the surface."""
    u, v, w = ((axis - np.float32(c)) * np.float32(1 / s) for axis, c, s in zip(p, centre, semi, strict=True))
    r2 = u * u + v * v + w * w
    a, b, c = (np.float32(1 / s) for s in semi)
    slope2 = (a * u) ** 2 + (b * v) ** 2 + (c * w) ** 2
    # (1 - r) / |grad r| with |grad r| = sqrt(slope2) / r; at the centre, 0 / 0, the tiny terms make it the least axis.
    radius = np.sqrt(r2)
    tiny = np.float32(1e-4)
    depth = (1 - radius) * (radius + tiny) / (np.sqrt(slope2) + tiny * max(a, b, c))
    return np.asarray(np.minimum(depth, np.float32(min(semi))), np.float32)


def tube(p: Points, ends: tuple[Point, Point], radii: tuple[float, float]) -> Field:
    """Depth below a capsule whose radius changes linearly from one end to the other."""
    start, stop = ends
    along = np.subtract(stop, start).astype(np.float32)
    dx, dy, dz = (axis - np.float32(origin) for axis, origin in zip(p, start, strict=True))
    t = (dx * along[0] + dy * along[1] + dz * along[2]) * np.float32(1 / float(along @ along))
    np.clip(t, 0, 1, out=t)
    dx -= t * along[0]
    dy -= t * along[1]
    dz -= t * along[2]
    radius = np.float32(radii[0]) + t * np.float32(radii[1] - radii[0])
    return np.asarray(radius - np.sqrt(dx * dx + dy * dy + dz * dz), np.float32)


def union(*depths: Field) -> Field:
    """Inside any of the shapes."""
    result = depths[0].copy()
    for depth in depths[1:]:
        np.maximum(result, depth, out=result)
    return result


def blend(first: Field, second: Field, radius_mm: float) -> Field:
    """Inside either shape, the crease between them filled up to the given radius (polynomial smooth maximum)."""
    gap = np.float32(radius_mm) - np.abs(first - second)
    np.maximum(gap, 0, out=gap)
    return np.asarray(np.maximum(first, second) + gap * gap * np.float32(0.25 / radius_mm), np.float32)


def smallest(first: Field, second: Field, radius_mm: float = 6.0) -> Field:
    """Inside both shapes, the edge between them rounded to the given radius."""
    return -blend(-first, -second, radius_mm)


def carve(solid: Field, hole: Field) -> Field:
    """Inside the solid and outside the hole."""
    return np.asarray(np.minimum(solid, -hole), np.float32)


def shell(depth: Field, thickness_mm: float) -> Field:
    """The layer of the given thickness just outside a shape."""
    return np.asarray(np.minimum(depth + np.float32(thickness_mm), -depth), np.float32)
