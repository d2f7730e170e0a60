"""The data folder is private, and a killed process leaves no patient's image in it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.data_folder.layout import DataFolder
from app.errors import NotReadyError


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


def test_a_folder_in_which_another_program_keeps_uploads_is_left_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    (folder.uploads / "theirs").mkdir(parents=True)
    for _ in range(2):
        with pytest.raises(NotReadyError, match="another folder"), folder.held():
            pytest.fail("it was taken")
    assert [path.name for path in tmp_path.rglob("*")] == ["uploads", "theirs"]


def test_uploads_of_a_release_that_had_no_lock_are_ours(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.database.touch()
    (folder.uploads / "request").mkdir(parents=True)
    with folder.held():
        folder.prepare()
    assert list(folder.uploads.iterdir()) == []


AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from app.data_folder.layout import DataFolder
os.setuid(65534)
try:
    DataFolder(Path(sys.argv[1])).prepare()
except PermissionError as error:
    print(error.filename)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_folder_of_another_user_is_named() -> None:
    # Not pytest's own folder: its parents are closed to another user.
    with tempfile.TemporaryDirectory() as place:
        folder = DataFolder(Path(place))
        folder.prepare()
        for each in (folder.root, folder.uploads):
            os.chown(each, 65534, 65534)
        asked = [sys.executable, "-c", AS_ANOTHER_USER, place]
        told = subprocess.run(asked, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
        assert told.stdout.strip() == str(folder.cases)
