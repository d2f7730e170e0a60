"""Artefacts in an object store, for several processes and machines; the only importer of fsspec."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

import fsspec

from app.records.artefacts import NAME, PREFIX, Artefacts, FolderArtefacts, checked, remove, tree


class RemoteArtefacts:
    """Files in an object store or on another machine, through fsspec; an object is there as a whole or not at all.

    Args:
        url: Of a folder, in any scheme that fsspec knows; credentials are found as its library does.
        scratch: Folder of this machine for what is being read.
    """

    def __init__(self, url: str, scratch: Path) -> None:
        # Another process may have put or deleted a file a moment ago: no listing is remembered.
        self._fs, root = fsspec.url_to_fs(url, use_listings_cache=False)
        self._root = root.rstrip("/")
        self._scratch = scratch

    def put(self, name: str, source: Path) -> None:
        """Upload, then remove the source; a folder is only complete when this returns."""
        place = self._place(name)
        files = [path for path in tree(source) if path.is_file()]
        targets = [
            f"{place}/{path.relative_to(source).as_posix()}" if path != source else place for path in files
        ]
        self._fs.put([str(path) for path in files], targets)
        remove(source)

    def put_all(self, sources: Mapping[str, Path]) -> None:
        """As the protocol says."""
        for name, source in sources.items():
            self.put(name, source)

    def open(self, name: str) -> BinaryIO:
        """As the protocol says; read piece by piece."""
        return cast("BinaryIO", self._fs.open(self._place(name), "rb"))

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """A copy, with the time of the original."""
        place = self._place(name)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            copy = Path(folder) / place.rsplit("/", 1)[-1]
            self._fs.get(place, str(copy), recursive=True)
            if copy.is_file():
                modified_s = self._fs.modified(place).timestamp()
                os.utime(copy, (modified_s, modified_s))
            yield copy

    def exists(self, name: str) -> bool:
        """As the protocol says."""
        return bool(self._fs.exists(self._place(name)))

    def delete(self, name: str) -> None:
        """As the protocol says."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._place(name))

    def delete_all(self, prefix: str) -> None:
        """As the protocol says."""
        with suppress(FileNotFoundError):
            self._fs.rm(f"{self._root}/{checked(prefix, PREFIX)}", recursive=True)

    def names(self, prefix: str) -> Iterator[str]:
        """As the protocol says."""
        for place in self._fs.find(f"{self._root}/{checked(prefix, PREFIX)}"):
            name = place.removeprefix(f"{self._root}/")
            if NAME.fullmatch(name):
                yield name

    def _place(self, name: str) -> str:
        return f"{self._root}/{checked(name, NAME)}"


def open_artefacts(url: str, folder: Path, scratch: Path) -> Artefacts:
    """The store of an operator's choice.

    Args:
        url: `NEUROFUSE_ARTEFACTS`: a folder or a URL; empty for `folder`.
        folder: `NEUROFUSE_DATA`.
        scratch: Folder for copies of what lies elsewhere; emptied at the start.

    Raises:
        ImportError: The URL's scheme needs a library that is not installed.
        ValueError: Nothing is known of the URL's scheme.
    """
    scheme, separator, path = url.partition("://")
    if not separator:
        return FolderArtefacts(Path(url) if url else folder)
    if scheme == "file":
        return FolderArtefacts(Path(path))
    return RemoteArtefacts(url, scratch)
