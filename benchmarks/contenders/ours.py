"""`app.imaging`: the files of an upload to the tensor, with everything the service does on the way."""

from pathlib import Path

from app.imaging.model_grid import ModelGrid
from app.imaging.read import read_image
from app.imaging.resample import to_model_grid
from benchmarks.job import Answer, Job


def run(job: Job) -> Answer:
    """Read, find the head, place the lattice, resample."""
    spec = ModelGrid.model_validate(job.model_grid)
    volume = read_image([Path(name) for name in job.upload], modality=spec.modality)
    image = to_model_grid(volume, spec)
    return Answer(image.array, image.grid.affine, volume.voxels.nbytes)
