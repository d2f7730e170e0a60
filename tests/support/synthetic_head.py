"""A head made of ellipsoids: enough for a crop to find it, with one bright spot whose place is known."""

from pathlib import Path

import nibabel as nib
import numpy as np
from jaxtyping import Float64, Int16

SHAPE = (96, 96, 32)
SPACING_MM = (2.3, 2.3, 5.0)
SPOT_MM = (30.0, -20.0, 10.0)
"""Centre of the bleed, RAS millimetres."""
SPOT_RADIUS_MM = 18.0
_HEAD_MM = (72.0, 92.0, 78.0)
_BRAIN_MM = (64.0, 84.0, 70.0)

CT_HU = {"air": -1000, "bone": 1000, "brain": 35, "spot": 70}
MR_RAW = {"air": 0, "bone": 60, "brain": 400, "spot": 900}


def affine() -> Float64[np.ndarray, "4 4"]:
    """RAS affine whose origin puts (0, 0, 0) mm in the middle of the head."""
    matrix = np.diag([*SPACING_MM, 1.0])
    matrix[:3, 3] = -(np.array(SHAPE) - 1) / 2 * SPACING_MM
    return matrix


def voxels(levels: dict[str, int]) -> Int16[np.ndarray, "I J K"]:
    """Draw skull, brain and spot at the given levels."""
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), axis=-1)
    points = grid * SPACING_MM + affine()[:3, 3]
    drawn = np.full(SHAPE, levels["air"], np.int16)
    drawn[_inside(points, (0, 0, 0), _HEAD_MM)] = levels["bone"]
    drawn[_inside(points, (0, 0, 0), _BRAIN_MM)] = levels["brain"]
    drawn[_inside(points, SPOT_MM, (SPOT_RADIUS_MM,) * 3)] = levels["spot"]
    return drawn


def write_head(path: Path, levels: dict[str, int] = CT_HU, *, mirrored: bool = False) -> Path:
    """Write the head as NIfTI (`.nii` or `.nii.gz`), left taken for right if `mirrored`; give the path back."""
    drawn = voxels(levels)[::-1] if mirrored else voxels(levels)
    nib.save(nib.nifti1.Nifti1Image(drawn, affine()), path)
    return path


def _inside(
    points: Float64[np.ndarray, "I J K 3"], centre: tuple[float, ...], radii: tuple[float, ...]
) -> np.ndarray:
    inside: np.ndarray = (((points - np.array(centre)) / np.array(radii)) ** 2).sum(axis=-1) <= 1
    return inside
