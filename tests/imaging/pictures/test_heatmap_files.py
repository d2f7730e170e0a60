"""Both files of a heatmap at once."""

from pathlib import Path

import numpy as np
import pytest

from app.imaging.pictures.heatmap_files import Shown, draw
from app.imaging.pictures.overlay import write_overlay_png
from app.imaging.resample import as_volume
from app.imaging.volume import Grid
from app.imaging.write import write_heatmap

PATIENT = Grid((30, 40, 12), np.diag([-2.0, -2.0, 5.0, 1.0]))
MODEL = Grid((16, 20, 15), np.array([[0, 0, 4.0, -60], [0, 4.0, 0, -80], [4.0, 0, 0, 0], [0, 0, 0, 1]]))
VOLUME = as_volume(np.random.default_rng(1).random(PATIENT.shape, np.float32), PATIENT)
HEATMAP = np.random.default_rng(2).random(MODEL.shape, np.float32)


@pytest.mark.parametrize(("cores", "side_by_side"), [(2, False), (1, True), (2, True)])
@pytest.mark.parametrize("file_grid", [PATIENT, MODEL])
def test_they_are_the_same_whether_they_are_drawn_at_once_or_one_after_the_other(
    file_grid: Grid, cores: int, side_by_side: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.imaging.threads.usable_cpus", lambda: cores)
    shown = Shown(
        HEATMAP, MODEL, file_grid, tmp_path / "h.nii.gz", tmp_path / "h.png", "not for care", side_by_side
    )
    draw(VOLUME, shown)
    write_heatmap(HEATMAP, MODEL, tmp_path / "alone.nii.gz", PATIENT if file_grid is PATIENT else None)
    write_overlay_png(VOLUME, HEATMAP, MODEL, tmp_path / "alone.png", "not for care")
    assert shown.nifti.read_bytes() == (tmp_path / "alone.nii.gz").read_bytes()
    assert shown.png.read_bytes() == (tmp_path / "alone.png").read_bytes()


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("missing", ["nifti", "png"])
def test_a_file_that_cannot_be_written_is_told_of(missing: str, side_by_side: bool, tmp_path: Path) -> None:
    nifti, png = (tmp_path / ("no-folder" if name == missing else "") / name for name in ("nifti", "png"))
    with pytest.raises(FileNotFoundError):
        draw(VOLUME, Shown(HEATMAP, MODEL, PATIENT, nifti, png, side_by_side=side_by_side))
