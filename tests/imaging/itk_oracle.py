"""SimpleITK does what `app.imaging.resample` says it does: its own reader, convolution and linear interpolation.

Only the kernel is told: a sampled Gaussian that turns a voxel of spacing s into one of spacing t, cut at four sigma
(docs/concepts/coordinates.md); so the two must agree to rounding, shrinking or not.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name its own documentation uses
from jaxtyping import Float64

from app.imaging.volume import Grid

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
SIGMA_PER_FWHM = 1 / math.sqrt(8 * math.log(2))
CUT_SIGMAS = 4


def itk_image(values: Float64[np.ndarray, "i j k"], grid: Grid) -> sitk.Image:
    """Values on a grid, in ITK's LPS millimetres."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.T.astype(np.float32)))
    spacing = np.array(grid.spacing_mm)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((RAS_TO_LPS @ grid.affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin((RAS_TO_LPS @ grid.affine[:3, 3]).tolist())
    return image


def itk_read(path: Path) -> sitk.Image:
    """A NIfTI file, or the series in a folder, by ITK's own readers."""
    if path.is_file():
        return sitk.ReadImage(str(path), sitk.sitkFloat32)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(path)))
    reader.SetOutputPixelType(sitk.sitkFloat32)
    image: sitk.Image = reader.Execute()
    return image


def itk_places(path: Path) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, " n"]]:
    """RAS mm and value of every pixel of one DICOM slice, by ITK's own reader."""
    image = sitk.ReadImage(str(path), sitk.sitkFloat64)
    columns, rows, _ = image.GetSize()
    index = [(i, j, 0) for j in range(rows) for i in range(columns)]
    lps = np.array([image.TransformIndexToPhysicalPoint(at) for at in index])
    return lps @ RAS_TO_LPS, sitk.GetArrayFromImage(image).ravel()


def itk_resample(image: sitk.Image, grid: Grid, fill: float = 0.0) -> Float64[np.ndarray, "i j k"]:
    """Smooth every axis for the grid axis it is closest to, then read linearly."""
    steps = RAS_TO_LPS @ grid.affine[:3, :3]
    along = np.array(image.GetDirection()).reshape(3, 3).T @ (steps / grid.spacing_mm)
    targets = np.array(grid.spacing_mm)[np.abs(along).argmax(axis=1)]
    smooth = _smoothed(image, targets.tolist())
    reference = itk_image(np.zeros(grid.shape), grid)
    read = sitk.Resample(smooth, reference, sitk.Transform(), sitk.sitkLinear, fill)
    return np.asarray(sitk.GetArrayFromImage(read).T)


def _smoothed(image: sitk.Image, targets_mm: Sequence[float]) -> sitk.Image:
    for axis, (target, stored) in enumerate(zip(targets_mm, image.GetSpacing(), strict=True)):
        if target <= stored * 1.01:
            continue
        sigma = math.sqrt(target**2 - stored**2) * SIGMA_PER_FWHM
        reach = int(CUT_SIGMAS * sigma / stored)
        weights = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) * stored / sigma))
        shape = [1, 1, 1]
        shape[2 - axis] = len(weights)
        kernel = sitk.GetImageFromArray((weights / weights.sum()).reshape(shape).astype(np.float32))
        kernel.SetSpacing(image.GetSpacing())
        kernel.SetDirection(image.GetDirection())
        image = sitk.Convolution(image, kernel, False, sitk.ConvolutionImageFilter.ZERO_FLUX_NEUMANN_PAD)
    return image
