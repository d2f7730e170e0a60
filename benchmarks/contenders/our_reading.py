"""`app.imaging`, to the volume only: what a converter is measured against."""

from pathlib import Path

from app.imaging.read import read_image
from app.imaging.volume import Modality
from benchmarks.job import Answer, Job


def run(job: Job) -> Answer:
    """Read."""
    volume = read_image([Path(name) for name in job.upload], modality=Modality(job.model_grid["modality"]))
    return Answer(decoded_bytes=volume.voxels.nbytes)
