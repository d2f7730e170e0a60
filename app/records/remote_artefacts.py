"""Artefacts in an object store, for several processes and machines; the only importer of fsspec."""

import asyncio
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import fsspec
import structlog
from fsspec.asyn import sync

from app.errors import NotReadyError, StorageUnavailableError
from app.records.artefacts import (
    NAME,
    PREFIX,
    RETRY_AFTER_S,
    Artefacts,
    FolderArtefacts,
    checked,
    remove,
    tree,
)

PATIENCE_S: Final = 30
"""For putting files, beside the time that their bytes take at `LEAST_BYTES_PER_S`: no longer than a process that is told to stop has."""
LEAST_BYTES_PER_S: Final = 1024**2
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""Of a URL that lacks a slash; nobody calls a folder so."""
FILES_AT_ONCE: Final = 16
"""As many lie in memory, and not all of a job."""

log = structlog.stdlib.get_logger(__name__)


class RemoteArtefacts:
    """Files in an object store, through fsspec; an object is there as a whole or not at all.

    Where the store does not answer, or refuses, every method raises StorageUnavailableError.

    Args:
        url: Of a folder, in any scheme that fsspec knows; credentials are found as its library does.
        scratch: Folder of this machine for what is being read.
    """

    def __init__(self, url: str, scratch: Path) -> None:
        # Another process may have put or deleted a file a moment ago: no listing is remembered.
        self._fs, root = fsspec.url_to_fs(url, use_listings_cache=False)
        self._fs.retries = 1  # of s3fs, beside the five of the library below, each of 15 seconds
        self._root = root.rstrip("/")
        self._scratch = scratch

    def put(self, name: str, source: Path) -> None:
        """Upload, then remove the source; a folder is only complete when this returns."""
        self.put_all({name: source})

    def put_all(self, sources: Mapping[str, Path]) -> None:
        """As the protocol says; no source is removed before all are there."""
        targets: dict[Path, str] = {}
        for name, source in sources.items():
            place = self._place(name)
            for path in tree(source):
                if path.is_file():
                    targets[path] = (
                        place if path == source else f"{place}/{path.relative_to(source).as_posix()}"
                    )
        with _asking(for_one=False):
            self._put_files(list(targets), list(targets.values()))
        for source in sources.values():
            remove(source)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """A copy, with the time of the original."""
        place = self._place(name)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            copy = Path(folder) / place.rsplit("/", 1)[-1]
            with _asking():
                self._fs.get(place, str(copy), recursive=True)
                if copy.is_file():
                    modified_s = self._fs.modified(place).timestamp()
                    os.utime(copy, (modified_s, modified_s))
            yield copy

    def delete(self, name: str) -> None:
        """As the protocol says."""
        place = self._place(name)
        with suppress(FileNotFoundError), _asking():
            self._fs.rm_file(place)

    def delete_all(self, prefix: str) -> None:
        """As the protocol says."""
        folder = self._folder(prefix)
        with suppress(FileNotFoundError), _asking():
            self._fs.rm(folder, recursive=True)

    def names(self, prefix: str) -> Iterator[str]:
        """As the protocol says."""
        folder = self._folder(prefix)
        with _asking(for_one=False):
            places = self._fs.find(folder)
        names = (place.removeprefix(f"{self._root}/") for place in places)
        return (name for name in names if NAME.fullmatch(name))

    def room(self) -> None:
        """As the protocol says: it has no bound that it tells."""

    def _put_files(self, files: list[Path], targets: list[str]) -> None:
        """Put them, some at a time. Where a store is silent before it takes the first byte, its library would wait for ever."""
        if not self._fs.async_impl:
            self._fs.put([str(path) for path in files], targets)
            return

        async def put_all() -> None:
            turns = asyncio.Semaphore(FILES_AT_ONCE)

            async def put_one(path: Path, target: str) -> None:
                async with turns:
                    await self._fs._put_file(str(path), target)  # noqa: SLF001 - what fsspec gives to coroutines

            try:
                # One that fails, or the end of patience, ends all others.
                async with asyncio.TaskGroup() as together:
                    for path, target in zip(files, targets, strict=True):
                        together.create_task(put_one(path, target))
            except ExceptionGroup as errors:
                raise errors.exceptions[0] from None

        size = sum(path.stat().st_size for path in files)
        sync(self._fs.loop, put_all, timeout=patience_s(size))

    def _place(self, name: str) -> str:
        return f"{self._root}/{checked(name, NAME)}"

    def _folder(self, prefix: str) -> str:
        return f"{self._root}/{checked(prefix, PREFIX)}"


def patience_s(size_bytes: int) -> float:
    """Seconds that files of this size together may take to be put."""
    return PATIENCE_S + size_bytes / LEAST_BYTES_PER_S


@contextmanager
def _asking(*, for_one: bool = True) -> Iterator[None]:
    """Every library raises errors of its own; but for an absent file, all say that the store cannot do it now.

    Args:
        for_one: Whether it is asked for a file, or what lies below a folder, that may be absent; else only the place itself can be, a bucket.
    """
    try:
        yield
    except Exception as error:
        if for_one and isinstance(error, FileNotFoundError):
            raise
        log.error("artefacts-unavailable", error_type=type(error).__name__)  # noqa: TRY400 - no message: it may hold a key
        raise StorageUnavailableError(
            "Expected the object store to answer; it does not, or refuses. Try again later.",
            retry_after_s=RETRY_AFTER_S,
        ) from error


def open_artefacts(url: str, folder: Path, scratch: Path) -> Artefacts:
    """The store of an operator's choice.

    Args:
        url: `NEUROFUSE_ARTEFACTS`: a folder or a URL; empty for `folder`.
        folder: `NEUROFUSE_DATA`.
        scratch: Folder for copies of what lies elsewhere; emptied at the start.

    Raises:
        NotReadyError: Nothing is known of the URL's scheme, its library is not installed, or it names no place, or one in `scratch`.
    """
    if not url:
        return FolderArtefacts(folder)
    scheme, separator, path = url.partition("://")
    if not separator and not SCHEME.match(url):
        return _named_folder(Path(url), scratch)
    if scheme == "file" and path.startswith("/"):
        return _named_folder(Path(path), scratch)
    if not separator or scheme == "file":
        raise NotReadyError(
            "Expected NEUROFUSE_ARTEFACTS as a folder, or a URL such as s3://bucket/path or file:///mnt/share, with all its slashes; "
            f"found {url.partition('/')[0]}{separator and '//'}..."
        )
    if not path.strip("/"):
        raise NotReadyError(
            "Expected a place behind :// in NEUROFUSE_ARTEFACTS, such as s3://bucket/path; there is none."
        )
    try:
        return RemoteArtefacts(url, scratch)
    except (ImportError, ValueError) as error:
        raise NotReadyError(
            f"Expected NEUROFUSE_ARTEFACTS as a folder or a URL such as s3://bucket/path, whose library is installed "
            f"(of s3 by the extra `s3`); found {scheme}://."
        ) from error


def _named_folder(path: Path, scratch: Path) -> FolderArtefacts:
    if path.resolve().is_relative_to(scratch.resolve()):
        raise NotReadyError(
            f"Expected NEUROFUSE_ARTEFACTS outside the folder {scratch.name} of NEUROFUSE_DATA, which is emptied at each start; "
            "it lies in there. Name another."
        )
    return FolderArtefacts(path)
