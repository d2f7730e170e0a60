"""Phantoms as hospitals would send them: DICOM series of patients who never were, NIfTI files as converters leave them."""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Integer

from app.imaging.dicom.write import SeriesIdentity, write_series
from app.imaging.volume import Grid, Volume

NIFTI_ORDERS: Final = ("LAS", "LPS", "RAS", "LPI", "RPI", "PSR", "ASL", "SRP")
"""Directions of a file's axes: dcm2niix leaves LAS, ITK LPS, nibabel's canonical is RAS; the rest is what else is met."""
_AXES: Final = ("LR", "PA", "IS")


def in_axis_order(
    voxels: Integer[np.ndarray, "I J K"], grid: Grid, codes: str
) -> tuple[Integer[np.ndarray, "A B C"], Grid]:
    """The same voxels at the same places, stored along other axes.

    Args:
        voxels: On the grid.
        grid: RAS mm; each of its axes runs nearest to another of the patient's.
        codes: Direction of the new axes, such as `LAS`.

    Returns:
        A view of the voxels, and the grid it lies on.
    """
    nearest = np.abs(grid.affine[:3, :3]).argmax(axis=0)
    world = [next(axis for axis, ends in enumerate(_AXES) if code in ends) for code in codes]
    order = [int(np.flatnonzero(nearest == axis)[0]) for axis in world]
    affine = grid.affine[:, [*order, 3]].copy()
    moved = voxels.transpose(order)
    for new, (code, axis) in enumerate(zip(codes, world, strict=True)):
        if (affine[axis, new] > 0) != (code == _AXES[axis][1]):
            affine[:, 3] += (moved.shape[new] - 1) * affine[:, new]
            affine[:, new] *= -1
            moved = np.flip(moved, new)
    a, b, c = moved.shape
    return moved, Grid((a, b, c), affine)


def write_dicom(volume: Volume, folder: Path, rng: np.random.Generator) -> tuple[Path, ...]:
    """Writes a phantom as one file per slice, under identifiers drawn from `rng`.

    Args:
        volume: Integer voxels; tilt and uneven gaps are kept as they are.
        folder: Made if it does not exist.
        rng: Equal states give equal bytes.

    Returns:
        The files in the order of the slices.
    """
    study, series, frame = (_uid(rng) for _ in range(3))
    return write_series(
        volume,
        SeriesIdentity(
            patient_id=f"PHANTOM-{rng.integers(16**8):08X}",
            study_instance_uid=study,
            series_instance_uid=series,
            frame_of_reference_uid=frame,
            sop_instance_uids=[_uid(rng) for _ in range(volume.voxels.shape[2])],
        ),
        folder,
    )


def _uid(rng: np.random.Generator) -> str:
    """A UID under 2.25, the root that anyone may use with a random UUID (PS3.5 B.2)."""
    number = int.from_bytes(rng.bytes(16), "big")
    # Version 4, variant 1 of RFC 9562.
    number = (number & ~(0xF << 76) | (0x4 << 76)) & ~(0x3 << 62) | (0x2 << 62)
    return f"2.25.{number}"
