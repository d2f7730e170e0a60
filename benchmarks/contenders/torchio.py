"""TorchIO: ToCanonical, Resample, CropOrPad, with their defaults (DICOM by SimpleITK, no smoothing)."""

import torchio  # type: ignore[import-not-found]  # lives in the environment of the peers

from benchmarks.job import Answer, Job, from_xyz


def run(job: Job) -> Answer:
    """Load, turn to RAS, resample to the spacing, crop or pad about the middle."""
    image = torchio.ScalarImage(job.unpacked)
    transforms = torchio.Compose(
        [
            torchio.ToCanonical(),
            torchio.Resample(job.spacing_xyz_mm),
            torchio.CropOrPad(job.shape[::-1], padding_mode=job.fill),
        ]
    )
    answer = transforms(image)
    return from_xyz(answer.data[0].float().numpy(), answer.affine)
