"""The data folder is private, and a killed process leaves no patient's image in it."""

from pathlib import Path

import pytest

from app.errors import NotReadyError
from app.predictions.data_folder import DataFolder


def test_folders_are_made_for_their_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "var")
    folder.prepare()
    for made in (folder.cases, folder.uploads):
        assert made.stat().st_mode & 0o777 == 0o700


def test_one_process_works_in_it_at_a_time_and_the_next_one_after_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "var")
    with folder.held():
        with pytest.raises(NotReadyError, match="another process") as refused, folder.held():
            pass
        assert str(folder.root) in refused.value.detail
    with folder.held():
        pass


def test_uploads_of_a_killed_process_are_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.prepare()
    (folder.uploads / "request").mkdir()
    (folder.uploads / "request" / "000000").write_bytes(b"image")
    (folder.root / "heatmaps").mkdir()
    (folder.root / "heatmaps" / "kept.png").write_bytes(b"picture")
    folder.prepare()
    assert list(folder.uploads.iterdir()) == []
    assert (folder.root / "heatmaps" / "kept.png").exists()
