"""SimpleITK with the smoothing against aliasing that we do: the same work, as far as it goes."""

import math
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name everybody knows it by

from app.imaging.volume import Grid
from benchmarks.contenders.simpleitk import RAS_TO_LPS, read, resample
from benchmarks.job import Answer, Job

FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))
MINIMUM_FOR_RECURSION = 4
"""ITK's recursive filters need this many voxels along an axis."""


def run(job: Job) -> Answer:
    """Read, smooth the axes that shrink, resample."""
    image = read(Path(job.unpacked))
    return Answer(resample(smoothed(image, job.grid), job.grid, job.fill), job.grid.affine)


def smoothed(image: sitk.Image, grid: Grid) -> sitk.Image:
    """Take away what a coarser grid cannot hold (Cardoso et al., MICCAI 2015).

    Args:
        image: In ITK's LPS millimetres.
        grid: Where it will be read; index (d, h, w) to RAS millimetres.
    """
    direction = np.array(image.GetDirection()).reshape(3, 3)
    target = np.abs(direction.T @ (grid.affine[:3, :3] * RAS_TO_LPS[:, np.newaxis])).max(axis=1)
    for axis, (wanted, spacing) in enumerate(zip(target, image.GetSpacing(), strict=True)):
        if wanted > spacing and image.GetSize()[axis] >= MINIMUM_FOR_RECURSION:
            sigma = math.sqrt(wanted**2 - spacing**2) / FWHM_PER_SIGMA
            image = sitk.RecursiveGaussian(image, sigma=sigma, direction=axis)
    return image
