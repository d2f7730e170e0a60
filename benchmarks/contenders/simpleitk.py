"""SimpleITK: read a series, resample trilinearly onto a given grid, with its defaults (a thread per core, no smoothing).

SimpleITK knows neither gantry tilt nor uneven gaps, and places no grid on a head: it is given the grid that
`app.imaging` placed, which is work it is spared.
"""

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name everybody knows it by
from jaxtyping import Float32, Float64

from app.imaging.volume import Grid
from benchmarks.job import Answer, Job

RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])


def run(job: Job) -> Answer:
    """Read, resample."""
    image = read(Path(job.unpacked))
    return Answer(resample(image, job.grid, job.fill), job.grid.affine)


def read(path: Path) -> sitk.Image:
    """Read one NIfTI file, or the series in a folder, as float32."""
    if path.is_file():
        return sitk.ReadImage(str(path), sitk.sitkFloat32)
    # It warns at each read of an uneven series.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(path)))
    reader.SetOutputPixelType(sitk.sitkFloat32)
    image: sitk.Image = reader.Execute()
    return image


def resample(image: sitk.Image, grid: Grid, fill: float) -> Float32[np.ndarray, "D H W"]:
    """Take trilinear samples on `grid`.

    Args:
        image: In ITK's LPS millimetres.
        grid: Index (d, h, w) to RAS millimetres.
        fill: Value outside the image.
    """
    answer = sitk.Resample(image, _like(grid), sitk.Transform(), sitk.sitkLinear, fill, sitk.sitkFloat32)
    return np.asarray(sitk.GetArrayFromImage(answer), dtype=np.float32)


def _like(grid: Grid) -> sitk.Image:
    """An empty image on the grid; ITK's index order is (w, h, d)."""
    columns: Float64[np.ndarray, "3 3"] = grid.affine[:3, 2::-1] * RAS_TO_LPS[:, np.newaxis]
    spacing = np.linalg.norm(columns, axis=0)
    image = sitk.Image([int(size) for size in grid.shape[::-1]], sitk.sitkUInt8)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((columns / spacing).ravel().tolist())
    image.SetOrigin((grid.affine[:3, 3] * RAS_TO_LPS).tolist())
    return image
