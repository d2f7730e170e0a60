"""The one shape every image takes after the door: stored slices with their true positions, and the patient's grid.

Frame: all positions are millimetres in RAS+ (x to the patient's Right, y Anterior, z Superior), the frame of NIfTI.
DICOM speaks LPS; the change of sign happens in `app.imaging.dicom.read` and nowhere else.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Real

from app.imaging.modality import Modality as Modality  # noqa: PLC0414 - a part of a volume, defined apart for the command line
from app.imaging.series_choice import SeriesChoice


@dataclass(frozen=True)
class Finding:
    """Something about the image that the reader of the answer should know.

    Attributes:
        code: Stable kebab-case identifier, such as `gantry-tilt-corrected`.
        detail: The finding in words with its numbers and units; no patient data.
    """

    code: str
    detail: str


@dataclass(frozen=True)
class Grid:
    """A regular lattice in the patient: where each voxel of an array lies.

    Attributes:
        shape: Number of voxels along the array's axes (i, j, k).
        affine: Maps (i, j, k, 1) to RAS millimetres of the voxel's centre.
    """

    shape: tuple[int, int, int]
    affine: Float64[np.ndarray, "4 4"]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along i, j, k."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    def permuted(self, order: tuple[int, int, int]) -> "Grid":
        """The same places, as an array with its axes in another order has them."""
        i, j, k = (self.shape[axis] for axis in order)
        return Grid((i, j, k), self.affine[:, [*order, 3]])


@dataclass(frozen=True)
class Volume:
    """One image as it was acquired, plus the regular grid on which results are returned.

    Voxel (i, j, k) lies at `slice_origins[k] + i * step_i + j * step_j`. This holds for tilted gantries and uneven
    gaps alike, which no single affine can say. For a regular series `grid` is exactly the stored lattice
    (shear included, if a NIfTI has one); for a tilted or uneven series it is the corrected lattice.

    Attributes:
        voxels: Stored samples [I, J, K]: HU for CT, the scanner's unit for MR. Integer where the source was.
        step_i: Millimetres (RAS) from voxel (i, j, k) to (i + 1, j, k).
        step_j: Millimetres (RAS) from voxel (i, j, k) to (i, j + 1, k).
        slice_origins: [K, 3], RAS millimetres of voxel (0, 0, k), ordered along the slice normal.
        grid: The patient's grid: shape and affine of every native heatmap.
        modality: What the voxel values mean.
        findings: What the door noticed and corrected.
        series: Which series of a DICOM upload this is, and why; None for a NIfTI.
        stored_bits: Bits of a value as it was stored, before any scale: n of them tell 2^n grey levels apart at most.
    """

    voxels: Real[np.ndarray, "I J K"]
    step_i: Float64[np.ndarray, "3"]
    step_j: Float64[np.ndarray, "3"]
    slice_origins: Float64[np.ndarray, "K 3"]
    grid: Grid
    modality: Modality
    findings: tuple[Finding, ...] = ()
    series: SeriesChoice | None = None
    stored_bits: int = 16


def without_voxels(volume: Volume, shape: tuple[int, ...]) -> Volume:
    """All about a volume but its samples, which cost most and are not always asked for.

    Args:
        volume: Whatever its voxels are.
        shape: Of the voxels [I, J, K] that were left behind.

    Returns:
        The volume with voxels that are NaN everywhere and take no memory: whoever reads them by mistake finds no image, rather than a black one.
    """
    return replace(volume, voxels=np.broadcast_to(np.float32(np.nan), shape))


def has_voxels(volume: Volume) -> bool:
    """Whether its voxels are here, not left behind by `without_voxels`."""
    return any(volume.voxels.strides)
