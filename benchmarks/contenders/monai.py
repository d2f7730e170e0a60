"""MONAI: LoadImage, Orientation, Spacing, ResizeWithPadOrCrop, with their defaults.

That is DICOM by ITK, as its documentation says where `itk` is installed, NIfTI by nibabel, and no smoothing.
"""

import numpy as np
from monai.transforms.compose import Compose
from monai.transforms.croppad.array import ResizeWithPadOrCrop
from monai.transforms.io.array import LoadImage
from monai.transforms.spatial.array import Orientation, Spacing

from benchmarks.job import Answer, Job, from_xyz


def run(job: Job, reader: str | None = None) -> Answer:
    """Load, turn to RAS, resample to the spacing, crop or pad about the middle.

    Args:
        job: The image and the lattice.
        reader: Name of MONAI's reader, or None for its own choice.
    """
    image = LoadImage(reader, ensure_channel_first=True)(job.unpacked)
    transforms = Compose(
        [
            Orientation("RAS"),
            Spacing(job.spacing_xyz_mm, mode="bilinear"),
            ResizeWithPadOrCrop(job.shape[::-1], value=job.fill),
        ]
    )
    answer = transforms(image)
    return from_xyz(np.asarray(answer[0]), np.asarray(answer.affine))
