"""Artefacts in an object store, for several processes and machines; the only importer of fsspec."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

import fsspec
import structlog

from app.errors import StorageUnavailableError
from app.records.artefacts import NAME, PREFIX, Artefacts, FolderArtefacts, checked, remove, tree

RETRY_AFTER_S: Final = 5

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
        self._root = root.rstrip("/")
        self._scratch = scratch

    def put(self, name: str, source: Path) -> None:
        """Upload, then remove the source; a folder is only complete when this returns."""
        place = self._place(name)
        files = [path for path in tree(source) if path.is_file()]
        targets = [
            place if path == source else f"{place}/{path.relative_to(source).as_posix()}" for path in files
        ]
        with _asking():
            self._fs.put([str(path) for path in files], targets)
        remove(source)

    def put_all(self, sources: Mapping[str, Path]) -> None:
        """As the protocol says."""
        for name, source in sources.items():
            self.put(name, source)

    def open(self, name: str) -> BinaryIO:
        """As the protocol says; read piece by piece."""
        place = self._place(name)
        with _asking():
            return cast("BinaryIO", self._fs.open(place, "rb"))

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

    def exists(self, name: str) -> bool:
        """As the protocol says."""
        place = self._place(name)
        with _asking():
            return bool(self._fs.exists(place))

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
        with _asking():
            places = self._fs.find(folder)
        names = (place.removeprefix(f"{self._root}/") for place in places)
        return (name for name in names if NAME.fullmatch(name))

    def _place(self, name: str) -> str:
        return f"{self._root}/{checked(name, NAME)}"

    def _folder(self, prefix: str) -> str:
        return f"{self._root}/{checked(prefix, PREFIX)}"


@contextmanager
def _asking() -> Iterator[None]:
    """Every library raises errors of its own; but for an absent file, all say that the store cannot do it now."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
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
        ImportError: The URL's scheme needs a library that is not installed.
        ValueError: Nothing is known of the URL's scheme.
    """
    scheme, separator, path = url.partition("://")
    if not separator:
        return FolderArtefacts(Path(url) if url else folder)
    if scheme == "file":
        return FolderArtefacts(Path(path))
    return RemoteArtefacts(url, scratch)
