"""Files that are kept beside the database: heatmaps, uploads of jobs; in a folder, or wherever fsspec can write.

A name is `kind/id` or `kind/id/file`. What is put under a name is complete, durable and never changed: a row of the
database that speaks of a file is written after the file was put, and deleted after the file was deleted.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

NAME: Final = re.compile(r"[a-z-]+(/[A-Za-z0-9][A-Za-z0-9._-]*){1,3}")
PREFIX: Final = re.compile(r"[a-z-]+(/[A-Za-z0-9][A-Za-z0-9._-]*){0,2}")
UNFINISHED: Final = "."
"""Begins the name of what is being copied; no name of ours begins so."""


class Artefacts(Protocol):
    """Where files are kept. Every method may be called from any thread; a name of another form is a ValueError."""

    def put(self, name: str, source: Path) -> None:
        """Take a file or a folder of files; when this returns, a power cut does not lose it.

        Args:
            name: What it is found by; not taken yet.
            source: It is moved away from here.
        """

    def open(self, name: str) -> BinaryIO:
        """Read a file.

        Raises:
            FileNotFoundError: There is none.
        """

    def local(self, name: str) -> AbstractContextManager[Path]:
        """A file, or a folder as it was put, on a disk of this machine while the block runs; to be read only.

        Raises:
            FileNotFoundError: There is none.
        """

    def exists(self, name: str) -> bool:
        """Whether something was put under this name."""

    def delete(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""

    def delete_all(self, prefix: str) -> None:
        """Remove all that lies below `kind` or `kind/id`; nothing happens where nothing does."""

    def names(self, prefix: str) -> Iterator[str]:
        """The name of every file below `kind` or `kind/id`, in no order."""


class FolderArtefacts:
    """Files in a folder of this machine, `<root>/<name>`.

    Args:
        root: The folder; created where it is absent.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, source: Path) -> None:
        """Rename it into place, once its bytes are on the disk."""
        target = self._path(name)
        _make(target.parent)
        # The name must not reach the disk before the bytes that it names.
        for path in (source, *(source.rglob("*") if source.is_dir() else ())):
            _sync(path)
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, target)
        _sync(target.parent)

    def open(self, name: str) -> BinaryIO:
        """As the protocol says."""
        return self._path(name).open("rb")

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """The file itself."""
        path = self._path(name)
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        yield path

    def exists(self, name: str) -> bool:
        """As the protocol says."""
        return self._path(name).exists()

    def delete(self, name: str) -> None:
        """As the protocol says; durable, since it may be a patient's."""
        path = self._path(name)
        if path.is_file():
            path.unlink(missing_ok=True)
            _sync(path.parent)

    def delete_all(self, prefix: str) -> None:
        """As the protocol says; durable."""
        folder = self._root / _checked(prefix, PREFIX)
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            _sync(folder.parent)

    def names(self, prefix: str) -> Iterator[str]:
        """As the protocol says."""
        for path in (self._root / _checked(prefix, PREFIX)).rglob("*"):
            name = path.relative_to(self._root).as_posix()
            if NAME.fullmatch(name) and path.is_file():
                yield name

    def _path(self, name: str) -> Path:
        return self._root / _checked(name, NAME)


def _checked(name: str, form: re.Pattern[str]) -> str:
    """A name that cannot leave its place: no `..`, no absolute path, nothing hidden."""
    if not form.fullmatch(name):
        raise ValueError("a name is kind/id or kind/id/file")
    return name


def _make(folder: Path) -> None:
    """Create a folder and those above it, durably."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync(folder.parent)


def _copy(source: Path, target: Path) -> None:
    """Move between two disks, where nothing can be renamed."""
    unfinished = target.with_name(f"{UNFINISHED}{target.name}")
    if source.is_dir():
        shutil.copytree(source, unfinished)
    else:
        shutil.copyfile(source, unfinished)
    for path in (unfinished, *(unfinished.rglob("*") if unfinished.is_dir() else ())):
        _sync(path)
    unfinished.rename(target)
    if source.is_dir():
        shutil.rmtree(source)
    else:
        source.unlink()


def _sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on the disk (fsync(2): a new file needs both)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_artefacts(url: str, folder: Path) -> Artefacts:
    """The store of an operator's choice.

    Args:
        url: `NEUROFUSE_ARTEFACTS`; empty for `folder`.
        folder: `NEUROFUSE_DATA`.
    """
    if url:
        raise NotImplementedError
    return FolderArtefacts(folder)
