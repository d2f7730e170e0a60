"""A cohort as many hospitals have it: three axial slices of each patient, a short record, an outcome in two classes.

The cases are those of `training.phantoms.case`; only what is kept of them is less. Each slice is a NIfTI file of its own.
"""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from app.ehr.reference import GOS_SCHEMA
from app.ehr.schema import EhrSchema
from app.imaging.synthetic import SYNTHETIC
from app.imaging.volume import Grid, Volume
from app.imaging.write import write_nifti

SLICES_APART_MM: Final = 10.0
"""Between neighbouring slices that are kept, or the next larger distance that the scan has."""
LEVELS: Final = {"poor": "unfavourable", "good": "favourable"}
"""The table's words for the outcome."""
_FAVOURABLE_FROM: Final = 4
_RECORD: Final = ("age", "sex", "gcs", "systolic_bp", "glucose", "anticoagulant")
SCHEMA: Final = EhrSchema(
    features=tuple(feature for feature in GOS_SCHEMA.features if feature.name in _RECORD), minimum_features=0
)


def image_columns(slices: int) -> tuple[str, ...]:
    """Names of the image columns, from below upwards."""
    return tuple(f"slice_{number}" for number in range(1, slices + 1))


def mask_columns(slices: int) -> tuple[str, ...]:
    """Names of the columns of their masks."""
    return tuple(f"mask_{number}" for number in range(1, slices + 1))


def outcome_word(grade: str) -> str:
    """`good` from GOS 4 on."""
    return "good" if int(grade) >= _FAVOURABLE_FROM else "poor"


def write_slices(
    volume: Volume, mask: UInt8[np.ndarray, "I J K"], folder: Path, name: str, slices: int
) -> dict[str, str]:
    """Write the slices through the lesion, where they were acquired, and the lesion on each.

    Args:
        volume: A CT of integer voxels.
        mask: The lesion on its voxels.
        folder: Of the cohort; `images` and `masks` in it exist.
        name: Beginning of the files' names.
        slices: How many.

    Returns:
        Paths relative to the folder, by column: the images from below upwards, then the masks.
    """
    images, masks = {}, {}
    chosen = _chosen(volume, mask, slices)
    for number, k, image_column, mask_column in zip(
        range(1, slices + 1), chosen, image_columns(slices), mask_columns(slices), strict=True
    ):
        affine = np.eye(4)
        normal = np.cross(volume.step_i, volume.step_j)
        normal *= np.sign(normal[2]) / np.linalg.norm(normal)
        affine[:3] = np.stack([volume.step_i, volume.step_j, normal, volume.slice_origins[k]], axis=1)
        voxels = np.asarray(np.rint(volume.voxels[:, :, k : k + 1]), np.int16)
        grid = Grid((voxels.shape[0], voxels.shape[1], 1), affine)
        images[image_column] = f"images/{name}-{number}.nii.gz"
        masks[mask_column] = f"masks/{name}-{number}.nii.gz"
        write_nifti(voxels, grid, folder / images[image_column], description=SYNTHETIC)
        write_nifti(mask[:, :, k : k + 1], grid, folder / masks[mask_column])
    return images | masks


def _chosen(volume: Volume, mask: UInt8[np.ndarray, "I J K"], slices: int) -> list[int]:
    """Indices in order of height; the middle one shows most of the lesion."""
    heights = volume.slice_origins[:, 2]
    count = len(heights)
    apart = max(1, int(np.ceil(SLICES_APART_MM / np.abs(np.diff(heights)).max() - 1e-6)))
    apart = min(apart, (count - 1) // max(slices - 1, 1))
    span = apart * (slices - 1)
    middle = int(np.count_nonzero(mask, axis=(0, 1)).argmax())
    first = int(np.clip(middle - span // 2, 0, count - 1 - span))
    return sorted(range(first, first + span + 1, apart) if slices > 1 else [middle], key=lambda k: heights[k])
