"""What can go wrong with a case on its way to the model, done on purpose.

Images are disturbed where it would happen, in the volume as it was acquired, and then take the service's own road to the model grid
(`app.imaging`): noise is averaged as the resampling averages it, thick slices and a turned head go through the reading that
has to correct them. An image that cannot be read as one volume is disturbed in its values alone, on the model grid.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64, Real

from app.imaging.volume import Grid, Modality, Volume

AXES = {"nodding": 0, "tilting to the side": 1, "turning": 2}
"""RAS axis that a head turns about."""


@dataclass(frozen=True)
class ValueChange:
    """A change of voxel values, (voxels, generator) -> voxels."""

    kind: str
    level: str
    apply: Callable[[Real[np.ndarray, "..."], np.random.Generator], Float32[np.ndarray, "..."]]


@dataclass(frozen=True)
class GeometryChange:
    """A change of where slices lie."""

    kind: str
    level: str
    apply: Callable[[Volume], Volume]


ImageChange = ValueChange | GeometryChange


def image_changes(modality: Modality) -> tuple[ImageChange, ...]:
    """The image disturbances of one modality, mild ones first."""
    values = _ct_changes() if modality is Modality.CT else _mr_changes()
    return (
        *values,
        GeometryChange("Thicker slices", "10 mm", lambda volume: thickened(volume, 10.0)),
        GeometryChange("Head nodding", "15 degrees", lambda volume: rotated(volume, AXES["nodding"], 15.0)),
        GeometryChange(
            "Head tilted to the side",
            "10 degrees",
            lambda volume: rotated(volume, AXES["tilting to the side"], 10.0),
        ),
    )


def _ct_changes() -> tuple[ValueChange, ...]:
    return (
        *(ValueChange("Noise", f"SD {sd:g} HU", _noise(sd)) for sd in (20.0, 40.0)),
        *(ValueChange("Shifted values", f"{hu:+g} HU", _affine(1.0, hu)) for hu in (-10.0, 10.0)),
        ValueChange("Scaled values", "5 %", _affine(1.05, 0.0)),
    )


def _mr_changes() -> tuple[ValueChange, ...]:
    return (
        *(
            ValueChange("Noise", f"SD {100 * share:g} % of the head's mean", _noise(share, relative=True))
            for share in (0.05, 0.1)
        ),
        ValueChange("Shifted values", "10 % of the head's mean", _affine(1.0, 0.1, relative=True)),
        ValueChange("Scaled values", "100 %", _affine(2.0, 0.0)),
    )


def _noise(
    sd: float, *, relative: bool = False
) -> Callable[[Real[np.ndarray, "..."], np.random.Generator], Float32[np.ndarray, "..."]]:
    def apply(voxels: Real[np.ndarray, "..."], rng: np.random.Generator) -> Float32[np.ndarray, "..."]:
        scale = np.float32(sd * (head_mean(voxels) if relative else 1.0))
        noisy: np.ndarray = voxels + scale * rng.standard_normal(voxels.shape, dtype=np.float32)
        return noisy.astype(np.float32, copy=False)

    return apply


def _affine(
    factor: float, offset: float, *, relative: bool = False
) -> Callable[[Real[np.ndarray, "..."], np.random.Generator], Float32[np.ndarray, "..."]]:
    def apply(voxels: Real[np.ndarray, "..."], rng: np.random.Generator) -> Float32[np.ndarray, "..."]:  # noqa: ARG001
        shift = offset * (head_mean(voxels) if relative else 1.0)
        changed: np.ndarray = voxels.astype(np.float32) * np.float32(factor) + np.float32(shift)
        return changed

    return apply


def head_mean(voxels: Real[np.ndarray, "..."]) -> float:
    """Mean of an MR image's brighter part, which is the head: what lies above the mean of everything."""
    floats = voxels.astype(np.float32, copy=False)
    bright = floats[floats > floats.mean()]
    return float(bright.mean()) if bright.size else 0.0


def thickened(volume: Volume, slice_mm: float) -> Volume:
    """Neighbouring slices averaged until each stands for about `slice_mm`; what is thicker already stays as it is."""
    origins = volume.slice_origins
    gap_mm = float(np.linalg.norm(origins[-1] - origins[0])) / max(len(origins) - 1, 1)
    group = round(slice_mm / gap_mm) if gap_mm > 0 else 1
    count = len(origins) // group if group > 1 else 0
    if not count:
        return volume
    i, j, _ = volume.voxels.shape
    slabs = volume.voxels[:, :, : count * group].reshape(i, j, count, group).mean(axis=3, dtype=np.float32)
    places: Float64[np.ndarray, "K 3"] = origins[: count * group].reshape(count, group, 3).mean(axis=1)
    affine = volume.grid.affine.copy()
    affine[:3, 3] += affine[:3, 2] * (group - 1) / 2
    affine[:3, 2] *= group
    return replace(volume, voxels=slabs, slice_origins=places, grid=Grid((i, j, count), affine))


def rotated(volume: Volume, axis: int, degrees: float) -> Volume:
    """The patient turned about a RAS axis through the image's centre, as if lying so in the scanner; no voxel is resampled."""
    turn = rotation(axis, degrees)
    middle = (np.array(volume.voxels.shape[:2]) - 1) / 2
    centre = volume.slice_origins.mean(axis=0) + middle[0] * volume.step_i + middle[1] * volume.step_j
    affine = volume.grid.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = turn @ (affine[:3, 3] - centre) + centre
    return replace(
        volume,
        step_i=turn @ volume.step_i,
        step_j=turn @ volume.step_j,
        slice_origins=(volume.slice_origins - centre) @ turn.T + centre,
        grid=Grid(volume.grid.shape, affine),
    )


def rotation(axis: int, degrees: float) -> Float64[np.ndarray, "3 3"]:
    """Right-handed rotation about a RAS axis."""
    first, second = (other for other in range(3) if other != axis)
    turn = np.eye(3)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    sign = -1.0 if axis == 1 else 1.0
    turn[first, first] = turn[second, second] = cosine
    turn[first, second], turn[second, first] = -sign * sine, sign * sine
    return turn


def record_changes(
    titles: Sequence[str], seed: int
) -> list[tuple[str, str, Callable[[int], Float32[np.ndarray, " F"]]]]:
    """(kind, level, patient's number -> [F] flags of what is taken out) of the record."""
    count = len(titles)

    def without(column: int) -> Callable[[int], Float32[np.ndarray, " F"]]:
        return lambda _: np.eye(count, dtype=np.float32)[column]

    def half(patient: int) -> Float32[np.ndarray, " F"]:
        flags = np.zeros(count, dtype=np.float32)
        flags[np.random.default_rng([seed, patient]).permutation(count)[: (count + 1) // 2]] = 1
        return flags

    return [
        *(("Record field missing", title, without(column)) for column, title in enumerate(titles)),
        ("Record fields missing", "a random half", half),
        ("Record fields missing", "all", lambda _: np.ones(count, dtype=np.float32)),
    ]
