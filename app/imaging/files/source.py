"""One file of an upload, wherever it lies: on disk, in memory, or packed in an archive (`app.imaging.files.zip_member`).

Readers see bytes. A source has no name, and nothing tells where its bytes come from; two sources are the same file only
where they are the same object.
"""

import os
from abc import ABC, abstractmethod
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

BEGINNING_BYTES: Final = 8192
"""What is read at once and kept: it tells the kind of a file, and holds the header of most DICOM slices."""
Buffer = bytes | memoryview


class Loaded(ABC):
    """Bytes at hand in any order."""

    @abstractmethod
    def part(self, offset: int, count: int) -> Buffer:
        """Bytes from `offset` on, fewer than `count` where the file ends."""

    @abstractmethod
    def open(self) -> BinaryIO:
        """A stream over all of it; seeking costs nothing."""


class Source(ABC):
    """A file to be read."""

    _beginning: bytes | None = None

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes, unpacked."""

    def head(self, count: int) -> bytes:
        """The first bytes, fewer than `count` where the file ends; no more than those are unpacked."""
        if count > BEGINNING_BYTES:
            return self._first(count)
        if self._beginning is None:
            self._beginning = self._first(BEGINNING_BYTES)
        return self._beginning[:count]

    @abstractmethod
    def open(self) -> BinaryIO:
        """A stream from the beginning, unpacked as it is read; seeking back may cost as much as reading again."""

    @abstractmethod
    def loaded(self) -> Loaded:
        """All of it, for reading in any order; what is packed is unpacked whole and held until this is dropped."""

    @abstractmethod
    def _first(self, count: int) -> bytes: ...


class DiskFile(Source, Loaded):
    """A file on disk; opened for each read, because a series has more files than a process may hold open.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._path.stat().st_size

    def open(self) -> BinaryIO:
        """The file."""
        return self._path.open("rb")

    def loaded(self) -> Loaded:
        """The file itself: what is in the system's cache needs no copy of ours."""
        return self

    def part(self, offset: int, count: int) -> bytes:
        """In three calls to the system."""
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            return _read(descriptor, offset, count)
        finally:
            os.close(descriptor)

    def _first(self, count: int) -> bytes:
        return self.part(0, count)


class InMemory(Loaded):
    """Bytes that were unpacked.

    Args:
        data: All of them.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def part(self, offset: int, count: int) -> memoryview:
        """Without a copy."""
        return memoryview(self._data)[offset : offset + count]

    def open(self) -> BinaryIO:
        """Shares the bytes."""
        return BytesIO(self._data)


def _read(descriptor: int, offset: int, count: int) -> bytes:
    """One read nearly always; Linux hands out at most 2 GiB at once (read(2))."""
    data = os.pread(descriptor, count, offset)
    if len(data) == count:
        return data
    parts = [data]
    while parts[-1] and (missing := count - sum(map(len, parts))):
        parts.append(os.pread(descriptor, missing, offset + count - missing))
    return b"".join(parts)
