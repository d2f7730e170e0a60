"""Bodies as fields of the patient's millimetres: heads that are whole, cut, stripped or small, and what is no head.

The head is an ellipsoid of 75 x 95 x 85 mm about (0, 0, 0); its vertex is at z = 85. A ripple of a few units keeps any
value from being exactly the highest.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int16

from app.imaging.volume import Grid, Modality, Volume
from tests.imaging.making import Field, places

Points = Float64[np.ndarray, "*n 3"]
Values = Float64[np.ndarray, "*n"]
Corner = tuple[float, float, float]

LOW: Corner = (-120.0, -130.0, -150.0)
HIGH: Corner = (120.0, 130.0, 110.0)
SEMI_AXES_MM = np.array([75.0, 95.0, 85.0])
CT_HEAD_HU = (-1000.0, 20.0, 900.0, 35.0)
MR_HEAD = (4.0, 180.0, 20.0, 300.0)
"""Outside, scalp, skull, brain."""


def image_of(
    field_at: Field,
    modality: Modality = Modality.CT,
    low: Corner = LOW,
    high: Corner = HIGH,
    spacing: Sequence[float] = (4.0, 4.0, 5.0),
) -> Volume:
    """A field, sampled between two corners in RAS mm."""
    shape = [int(n) for n in (np.array(high) - np.array(low)) // np.array(spacing) + 1]
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = low
    grid = Grid((shape[0], shape[1], shape[2]), affine)
    values = np.asfortranarray(np.round(field_at(places(grid))).astype(np.int16))
    return _volume(values, affine, modality)


def stored_otherwise(volume: Volume, order: tuple[int, int, int], flips: tuple[int, int, int]) -> Volume:
    """The same patient with other axes first, and some of them backwards."""
    affine = volume.grid.affine.copy()
    for axis in (axis for axis, flip in enumerate(flips) if flip < 0):
        affine[:3, 3] += affine[:3, axis] * (volume.voxels.shape[axis] - 1)
        affine[:3, axis] *= -1
    flipped = np.flip(volume.voxels, tuple(axis for axis, flip in enumerate(flips) if flip < 0))
    affine[:3, :3] = affine[:3, list(order)]
    return _volume(np.asfortranarray(flipped.transpose(order)), affine, volume.modality)


def _volume(
    values: Int16[np.ndarray, "i j k"], affine: Float64[np.ndarray, "4 4"], modality: Modality
) -> Volume:
    i, j, k = values.shape
    origins = affine[:3, 3] + np.arange(k)[:, None] * affine[:3, 2]
    return Volume(values, affine[:3, 0], affine[:3, 1], origins, Grid((i, j, k), affine), modality)


def head(
    layers: tuple[float, float, float, float] = CT_HEAD_HU, size: float = 1.0, scalp_mm: float = 6.0
) -> Field:
    """A head on a neck: scalp, skull of 8 mm, brain; `size` scales it about its vertex."""

    def field_at(points: Points) -> Values:
        outside, scalp, skull, brain = layers
        relative = (points - [0, 0, 85.0]) / size + [0, 0, 85.0]
        neck = (np.hypot(relative[..., 0], relative[..., 1] + 20) < 50) & (relative[..., 2] < 0)
        within = [_ellipsoid(relative, SEMI_AXES_MM - depth) for depth in (scalp_mm + 8, scalp_mm, 0.0)]
        return _rippled(np.select([*within, neck], [brain, skull, scalp, scalp], outside), points)

    return field_at


def brain_alone(brain: float, outside: float) -> Field:
    """What skull stripping leaves."""

    def field_at(points: Points) -> Values:
        within = _ellipsoid(points, SEMI_AXES_MM - 14.0)
        return np.where(within, _rippled(np.full(within.shape, brain), points), outside)

    return field_at


def after_hemicraniectomy(points: Points) -> Values:
    """A head that lacks the bone of most of its left side."""
    values = head()(points)
    flap = (points[..., 0] < -20) & (np.abs(points[..., 1]) < 60) & (points[..., 2] > 0)
    return np.where(flap & (values > 500), 20.0, values)


def trunk(lungs: bool, scale: float = 1.0) -> Field:
    """A trunk of 320 x 220 mm with spine and ribs, as a cylinder without end; lungs fill most of it, or do not."""

    def field_at(points: Points) -> Values:
        x, y, z = (points / [scale, scale, 1.0])[..., 0], points[..., 1] / scale, points[..., 2]
        body = np.square(x / 160) + np.square(y / 110) < 1
        spine = np.hypot(x, y + 75) < 18
        rib = body & (np.square(x / 152) + np.square(y / 102) > 1) & (np.mod(z, 25) < 8)
        lung = (np.square((np.abs(x) - 75) / 55) + np.square(y / 75) < 1) & lungs
        return _rippled(np.select([spine, rib, lung, body], [400.0, 500.0, -780.0, 45.0], -1000.0), points)

    return field_at


def limb(radius_mm: float, bone_mm: float, values: tuple[float, float, float]) -> Field:
    """A limb without end: outside, flesh and one bone in the middle."""

    def field_at(points: Points) -> Values:
        across = np.hypot(points[..., 0], points[..., 1])
        outside, flesh, bone = values
        return _rippled(np.select([across < bone_mm, across < radius_mm], [bone, flesh], outside), points)

    return field_at


def bottle(points: Points) -> Values:
    """A water phantom, 200 mm across and 180 mm high."""
    inside = (np.hypot(points[..., 0], points[..., 1]) < 100) & (np.abs(points[..., 2]) < 90)
    return _rippled(np.where(inside, 0.0, -1000.0), points)


def noise(points: Points) -> Values:
    """What a receiver measures where nothing is."""
    return np.asarray(np.random.default_rng(0).rayleigh(40.0, points.shape[:-1]))


def _ellipsoid(points: Points, semi_axes_mm: Float64[np.ndarray, "3"]) -> Bool[np.ndarray, "*n"]:
    return np.asarray(np.square(points / semi_axes_mm).sum(axis=-1) < 1)


def _rippled(values: Values, points: Points) -> Values:
    return np.asarray(values + 5 * np.sin(points.sum(axis=-1) / 3.0) + 3 * np.cos(points[..., 0]))
