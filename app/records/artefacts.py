"""Files that are kept beside the database: heatmaps, uploads of jobs; in a folder, or wherever fsspec can write.

A name is `kind/id` or `kind/id/file`. What is put under a name is complete, durable and never changed: a row of the
database that speaks of a file is written after the file was put, and deleted after the file was deleted.
"""

import errno
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

import structlog

from app.errors import StorageUnavailableError

NAME: Final = re.compile(r"[a-z-]+(/[A-Za-z0-9][A-Za-z0-9._-]*){1,3}")
PREFIX: Final = re.compile(r"[a-z-]+(/[A-Za-z0-9][A-Za-z0-9._-]*){0,2}")
UNFINISHED: Final = ".unfinished"
"""Folder of what is being copied from another disk, or deleted; no name of ours begins with a dot. It is always there, so that an empty folder, to which
a share is no longer mounted, is told from the place itself."""
LEFTOVER_S: Final = 24 * 3600.0
"""Age at which a copy was left there by a process that was killed: no copy takes so long."""
GONE: Final = "gone-"
"""Begins the names of what was being deleted there."""
SYNC_THREADS: Final = 16
RETRY_AFTER_S: Final = 5

log = structlog.stdlib.get_logger(__name__)


class Artefacts(Protocol):
    """Where files are kept. Every method may be called from any thread; a name of another form is a ValueError."""

    def put(self, name: str, source: Path) -> None:
        """Take a file or a folder of files; when this returns, a power cut does not lose it.

        Args:
            name: What it is found by; not taken yet.
            source: It is moved away from here.
        """

    def put_all(self, sources: Mapping[str, Path]) -> None:
        """The same for several, by name; together they wait for the disk hardly longer than one."""

    def local(self, name: str) -> AbstractContextManager[Path]:
        """A file, or a folder as it was put, on a disk of this machine while the block runs; to be read only.

        Raises:
            FileNotFoundError: There is none.
        """

    def delete(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""

    def delete_all(self, prefix: str) -> None:
        """Remove all that lies below `kind` or `kind/id`; nothing happens where nothing does."""

    def names(self, prefix: str) -> Iterator[str]:
        """The name of every file below `kind` or `kind/id`, in no order."""

    def room(self) -> tuple[int, int] | None:
        """Bytes that are free on the disk of the files, and all of its bytes; None where there is no one disk, as of an object store."""


class FolderArtefacts:
    """Files in a folder of this machine, `<root>/<name>`.

    Where the folder was there at first and is not now, as when its share was unmounted, every method raises StorageUnavailableError.

    Args:
        root: The folder; created where it is absent.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unfinished = root / UNFINISHED
        _make(self._unfinished)
        self._first = _identity(root)
        for left in self._unfinished.glob("*"):
            with suppress(FileNotFoundError):  # another process is done with it
                if left.name.startswith(GONE) or time.time() - left.stat().st_mtime > LEFTOVER_S:
                    shutil.rmtree(left)

    def put(self, name: str, source: Path) -> None:
        """As the protocol says."""
        self.put_all({name: source})

    def put_all(self, sources: Mapping[str, Path]) -> None:
        """Rename them into place, once their bytes are on the disk."""
        targets = {self._path(name): source for name, source in sources.items()}
        for folder in {target.parent for target in targets}:
            _make(folder)
        # A name must not reach the disk before the bytes that it names.
        _sync(*(path for source in sources.values() for path in tree(source)))
        for target, source in targets.items():
            self._move(source, target)
        _sync(*{target.parent for target in targets})

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """The file itself."""
        path = self._path(name)
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        yield path

    def delete(self, name: str) -> None:
        """As the protocol says; durable, since it may be a patient's."""
        path = self._path(name)
        if path.is_file():
            path.unlink(missing_ok=True)
            _sync(path.parent)

    def delete_all(self, prefix: str) -> None:
        """As the protocol says; durable."""
        folder = self._place(checked(prefix, PREFIX))
        if folder.is_dir():
            with suppress(FileNotFoundError):  # another process deletes it too
                shutil.rmtree(self._out_of_its_place(folder))
            _sync(folder.parent)

    def names(self, prefix: str) -> Iterator[str]:
        """As the protocol says."""
        # Not `rglob`: it fails where a folder goes meanwhile.
        for place, _, files in os.walk(self._place(checked(prefix, PREFIX))):
            folder = Path(place).relative_to(self._root).as_posix()
            yield from filter(NAME.fullmatch, (f"{folder}/{file}" for file in files))

    def room(self) -> tuple[int, int]:
        """As the protocol says."""
        usage = shutil.disk_usage(self._place(""))
        return usage.free, usage.total

    def _path(self, name: str) -> Path:
        return self._place(checked(name, NAME))

    def _place(self, relative: str) -> Path:
        # Or what is put would lie below the mount point, found by nobody once the share is back. After a mount, the place may bear another number.
        if not self._unfinished.is_dir() and self._first == _identity(self._root):
            _make(self._unfinished)  # whoever tidies up removes empty folders
        if not self._unfinished.is_dir():
            log.error("artefacts-unavailable", error_type="NotMounted")
            raise StorageUnavailableError(
                "Expected the folder of heatmaps and uploads to be mounted; it is not. Try again later.",
                retry_after_s=RETRY_AFTER_S,
            )
        return self._root / relative

    def _out_of_its_place(self, folder: Path) -> Path:
        """In one step: a process that is killed while it deletes would leave a folder without files, which no name speaks of."""
        try:
            return folder.rename(self._unfinished / f"{GONE}{uuid.uuid4()}")
        except OSError as error:
            if error.errno != errno.EXDEV:  # a kind may have a disk of its own
                raise
            return folder

    def _move(self, source: Path, target: Path) -> None:
        """Rename; from another disk, where nothing can be renamed, copy and remove."""
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with tempfile.TemporaryDirectory(dir=self._unfinished) as folder:
                copy = Path(folder) / target.name
                _copy(source, copy)
                _sync(*tree(copy))
                copy.rename(target)
            remove(source)


def checked(name: str, form: re.Pattern[str]) -> str:
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


def remove(path: Path) -> None:
    """Remove a file, or a folder and all that lies below it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _identity(folder: Path) -> tuple[int, int] | None:
    """Of the folder that lies there now, on its disk; None where there is none."""
    with suppress(OSError):
        found = folder.stat()
        return found.st_dev, found.st_ino
    return None


def _copy(source: Path, copy: Path) -> None:
    """Copy a file, or a folder and all that lies below it; by itself, so that a full disk is told as one: `copytree` tells no errno."""
    for path in tree(source):  # a folder comes before what is in it
        to = copy / path.relative_to(source)
        if path.is_dir():
            to.mkdir(mode=0o700)
        else:
            shutil.copyfile(path, to)


def tree(path: Path) -> Iterator[Path]:
    """A file; or a folder and all that lies below it."""
    yield path
    yield from path.rglob("*") if path.is_dir() else ()


def _sync(*paths: Path) -> None:
    """Have files' bytes, or folders' names, on the disk (fsync(2): a new file needs both).

    Several at once: a file system writes its journal once for all that wait for it at the same time.
    """
    first, *others = paths
    with ThreadPoolExecutor(SYNC_THREADS) as pool:  # starts no thread that it does not need
        waiting = [pool.submit(_sync_one, path) for path in others]
        _sync_one(first)
        for each in waiting:
            each.result()


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
