from pathlib import Path

import pytest

from app.errors import MalformedRequestError
from app.imaging.files.folders import files_in


def test_folders_are_searched_to_any_depth_and_files_are_themselves(tmp_path: Path) -> None:
    names = ["a/b/c/1", "a/2", "3"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/empty").mkdir()
    (tmp_path / "a/nowhere").symlink_to(tmp_path / "gone")
    found = files_in([tmp_path / "a", tmp_path / "3"])
    assert {str(path.relative_to(tmp_path)) for path in found} == set(names)


def test_links_to_folders_are_followed_once_and_never_upwards(tmp_path: Path) -> None:
    for name in ("patient/scout/1", "archive/series/2", "other/3"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    patient = tmp_path / "patient"
    for name, target in {"ct": "archive/series", "ct again": "archive/series", "here": "patient"}.items():
        (patient / name).symlink_to(tmp_path / target)
    (patient / "all patients").symlink_to(tmp_path)
    (tmp_path / "archive" / "series" / "back").symlink_to(tmp_path / "archive" / "series")
    found = [file.relative_to(patient).as_posix() for file in files_in([patient])]
    assert found == ["ct/2", "scout/1"]


def test_nothing_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MalformedRequestError):
        files_in([tmp_path])
