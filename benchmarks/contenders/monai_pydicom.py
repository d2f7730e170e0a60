"""MONAI reading DICOM by pydicom: what it does where `itk` is not installed beside it."""

from benchmarks.contenders import monai
from benchmarks.job import Answer, Job


def run(job: Job) -> Answer:
    """As MONAI, with the other reader."""
    return monai.run(job, "PydicomReader")
