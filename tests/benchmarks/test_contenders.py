"""Every contender does the job it is timed on: a landmark of the file lies where its answer says."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float64

from app.imaging.read import read_image
from app.imaging.resample import as_volume
from app.imaging.volume import Grid, Modality, Volume
from app.imaging.write import write_nifti
from benchmarks.job import Answer, Job
from benchmarks.match import PEERS, correlation
from training.phantoms.write import write_dicom

SHAPE = (70, 56, 44)
LANDMARK_MM = np.array([12.0, -8.0, 20.0])
SPEC = {
    "modality": "MR",
    "shape": [24, 28, 20],
    "spacing_mm": [4.0, 3.0, 3.5],
    "orientation": "RAS",
    "crop": "head-top",
    "channels": 1,
    "intensity_unit": "raw",
    "fill": 0.0,
}
LIBRARIES = {
    "simpleitk": "SimpleITK",
    "simpleitk_smooth": "SimpleITK",
    "monai": "monai",
    "torchio": "torchio",
}


@pytest.fixture(name="job", params=["NIfTI", "DICOM"])
def _job(request: pytest.FixtureRequest, tmp_path: Path) -> Job:
    """A bright ball of 9 mm at the landmark in a head of 40 mm, and the lattice as we place it."""
    volume = _ball()
    unpacked = tmp_path / "ball.nii.gz"
    if request.param == "NIfTI":
        write_nifti(volume.voxels, volume.grid, unpacked)
        upload: tuple[str, ...] = (str(unpacked),)
    else:
        unpacked = tmp_path / "ball"
        upload = tuple(map(str, write_dicom(volume, unpacked, np.random.default_rng(0))))
    first = import_module("benchmarks.contenders.ours").run(Job(upload, str(unpacked), SPEC))
    return Job(upload, str(unpacked), SPEC, tuple(map(tuple, first.affine.tolist())))


def _ball() -> Volume:
    """Stored LPS with steps of 1.5, 2 and 2.5 mm."""
    affine = np.diag([-1.5, -2.0, 2.5, 1.0])
    affine[:3, 3] = 52.0, 54.0, -49.0
    index = np.indices(SHAPE).reshape(3, -1)
    places = affine[:3, :3] @ index + affine[:3, 3:]
    head = np.linalg.norm(places, axis=0) < 40
    ball = np.linalg.norm(places - LANDMARK_MM[:, None], axis=0) < 9
    return as_volume((100 * head + 900 * ball).reshape(SHAPE).astype(np.int16), Grid(SHAPE, affine))


def _centre_of_the_ball(answer: Answer) -> Float64[np.ndarray, "3"]:
    assert answer.tensor is not None
    assert answer.affine is not None
    bright = np.where(answer.tensor > 300, answer.tensor, 0.0)
    index = np.indices(bright.shape).reshape(3, -1) @ bright.ravel() / bright.sum()
    return np.asarray(answer.affine[:3, :3] @ index + answer.affine[:3, 3])


@pytest.mark.parametrize("name", ["ours", *PEERS])
@pytest.mark.filterwarnings("ignore")  # a peer's own warnings are its own affair
def test_a_landmark_lies_where_the_answer_says(name: str, job: Job) -> None:
    if name in LIBRARIES and find_spec(LIBRARIES[name]) is None:
        pytest.skip(f"{LIBRARIES[name]} lives in the environment of the peers")
    answer = import_module(f"benchmarks.contenders.{name}").run(job)
    assert answer.tensor is not None
    assert answer.affine is not None
    assert answer.tensor.shape == job.shape
    assert answer.tensor.dtype == np.float32
    assert answer.tensor.flags.c_contiguous
    np.testing.assert_allclose(_centre_of_the_ball(answer), LANDMARK_MM, atol=1.0)
    volume = read_image([Path(path) for path in job.upload], modality=Modality.MR)
    assert correlation(answer.tensor, volume, Grid(job.shape, answer.affine), job.fill) > 0.95
