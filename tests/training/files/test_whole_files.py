"""training.files.whole_files: a file is the old one or the new one, never a part of it."""

import resource
from pathlib import Path

import pytest

from training.files.whole_files import write_whole


@pytest.mark.parametrize("content", ["a\nµ", b"a\n\xc2\xb5", memoryview(b"a\n\xc2\xb5")])
def test_a_file_takes_the_place_of_another(content: str | bytes | memoryview, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("old and longer")
    assert write_whole(tmp_path / "run.json", content) == tmp_path / "run.json"
    assert (tmp_path / "run.json").read_bytes() == b"a\n\xc2\xb5"
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_file_stays_as_it_was_where_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("old")
    (tmp_path / "run.json.part").mkdir()  # stands for a disk that takes nothing
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "run.json", "new")
    assert (tmp_path / "run.json").read_text() == "old"


def test_a_disk_that_is_full_in_the_middle_of_a_file_is_left_no_part_of_it(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="large"):
            write_whole(tmp_path / "run.json", "new" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
