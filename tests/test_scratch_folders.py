"""app.scratch_folders: each piece of work finds an empty folder of its own, and nothing of it is found by the next."""

import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.scratch_folders import MOST_IDLE, MOST_LEFT, ScratchFolders


@pytest.fixture
def folders(tmp_path: Path) -> ScratchFolders:
    return ScratchFolders(tmp_path)


def test_a_folder_is_empty_private_and_used_again(folders: ScratchFolders, tmp_path: Path) -> None:
    with folders.one() as first:
        assert list(first.iterdir()) == []
        assert stat.S_IMODE(first.stat().st_mode) == 0o700
        (first / "file").write_bytes(b"a patient's image")
        (first / "folder").mkdir()
        (first / "folder" / "file").write_bytes(b"another")
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "kept").touch()
        (first / "link").symlink_to(outside)
    with folders.one() as second:
        assert second == first
        assert list(second.iterdir()) == []
    assert (outside / "kept").exists(), "a link is removed, not what it leads to"


def test_no_two_have_the_same_folder_at_the_same_time(folders: ScratchFolders) -> None:
    def work(number: int) -> None:
        with folders.one() as folder:
            assert list(folder.iterdir()) == []
            (folder / str(number)).touch()
            assert [path.name for path in folder.iterdir()] == [str(number)]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(400)))


def test_what_was_written_is_gone_after_an_error_too(folders: ScratchFolders) -> None:
    def fail() -> None:
        with folders.one() as folder:
            (folder / "file").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with folders.one() as folder:
        assert list(folder.iterdir()) == []


def test_a_folder_that_was_moved_away_is_followed_by_another(folders: ScratchFolders, tmp_path: Path) -> None:
    with folders.one() as folder:
        (folder / "file").touch()
        folder.rename(tmp_path / "taken")
    with folders.one() as another:
        assert another != folder
        assert list(another.iterdir()) == []
    assert (tmp_path / "taken" / "file").exists()


def test_a_folder_that_cannot_be_emptied_is_not_used_and_is_emptied_with_the_next(
    folders: ScratchFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, **_: object) -> None:
        raise PermissionError(path)

    folder = folders.take()
    (folder / "file").touch()
    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refuse)
        folders.give_back(folder)
    with folders.one() as another:
        assert another != folder
        assert (folder / "file").exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_only_so_many_are_kept_and_none_once_closed(folders: ScratchFolders, tmp_path: Path) -> None:
    taken = [folders.take() for _ in range(MOST_IDLE + 3)]
    for folder in taken[1:]:
        folders.give_back(folder)
    assert len(list(tmp_path.iterdir())) == MOST_IDLE + 1
    folders.close()
    assert list(tmp_path.iterdir()) == taken[:1]
    folders.give_back(taken[0])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_left_is_emptied_by_somebody_else_and_used_again(folders: ScratchFolders) -> None:
    folder = folders.take()
    (folder / "file").touch()
    assert folders.leave(folder)
    deadline = time.monotonic() + 20
    while (found := folders.at_hand()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert found == folder
    assert list(found.iterdir()) == []


def test_only_so_many_may_be_left_while_the_disk_is_slow(
    folders: ScratchFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_quick, unlink = threading.Event(), os.unlink

    def slowly(path: str, *, dir_fd: int | None = None) -> None:
        is_quick.wait(20)
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", slowly)
    taken = [folders.take() for _ in range(MOST_LEFT + 2)]
    for folder in taken:
        (folder / "file").touch()
    assert [folders.leave(folder) for folder in taken] == [True] * MOST_LEFT + [False] * 2
    is_quick.set()
    folders.close()
    assert set(tmp_path.iterdir()) == set(taken[MOST_LEFT:]), "closing waits for what was left"
    assert not folders.leave(taken[-1])
