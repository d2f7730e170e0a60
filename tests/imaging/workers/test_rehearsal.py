"""app.imaging.workers.rehearsal: the phantom goes the road of a patient's series to its end, and nothing of it stays."""

from pathlib import Path

from app.imaging.load import load_case
from app.imaging.synthetic import is_synthetic
from app.imaging.workers import rehearsal
from app.imaging.workers.rehearsal import MODEL_GRID, SLICES, rehearse


def test_the_phantom_is_a_tilted_series_in_a_zip_that_is_read_placed_and_known_for_a_phantom(
    tmp_path: Path,
) -> None:
    archive = rehearsal.archive(tmp_path)
    case = load_case([archive], MODEL_GRID)
    assert case.volume.voxels.shape[2] == SLICES
    assert "gantry-tilt-corrected" in {finding.code for finding in case.volume.findings}
    assert case.image.array.shape == MODEL_GRID.shape
    assert case.image.array.min() < -900
    assert case.image.array.max() > 900
    assert is_synthetic(archive)


def test_a_rehearsal_leaves_nothing(tmp_path: Path) -> None:
    rehearse(tmp_path)
    assert list(tmp_path.iterdir()) == []
