"""One file in a zip, unfolded into memory, and no further than it is read.

The directory's word for a member's size is held to: not a byte more is unfolded, and a member that is read to its end must
have just that size and the checksum that the directory names. Three inflaters do the same work: zlib begins soonest,
libdeflate is fastest over a whole member and cannot stop on the way, isal is fastest of those that can.
"""

import os
import struct
import zlib
from io import BufferedReader, RawIOBase
from typing import BinaryIO, Final
from zipfile import ZIP_STORED, BadZipFile, ZipInfo

import imagecodecs
from isal import isal_zlib
from isal.igzip_lib import DECOMP_DEFLATE, IgzipDecompressor

from app.imaging.decoding_errors import decoding
from app.imaging.files.source import InMemory, Loaded, Source

LOCAL_HEADER_BYTES: Final = 30
LOCAL_HEADER_SIGNATURE: Final = b"PK\x03\x04"
PACKED_BYTES: Final = 1 << 16
"""Read from the archive at once while a member is unfolded piece by piece."""
UNFOLDED_BYTES: Final = 1 << 18
"""Unfolded at once, likewise."""


class ZipMember(Source):
    """A stored or deflated member; readable while its archive is open, from any thread.

    Args:
        archive: File descriptor of the archive.
        entry: What its directory says of the member.

    Attributes:
        is_stored: Whether it is not packed at all.
        checksum: CRC-32 of its bytes, as the directory says.
    """

    def __init__(self, archive: int, entry: ZipInfo) -> None:
        self._archive = archive
        self._header_offset = entry.header_offset
        self._packed_size = entry.compress_size
        self._size = entry.file_size
        self.is_stored = entry.compress_type == ZIP_STORED
        self.checksum = entry.CRC
        self._data_offset = 0

    @property
    def size(self) -> int:
        """Bytes, as the archive's directory says; no more can be read."""
        return self._size

    def open(self) -> BinaryIO:
        """Unfolds as it is read; damage is found when it is met, the checksum's at the end."""
        return BufferedReader(_Unfolding(self), UNFOLDED_BYTES)

    def loaded(self) -> Loaded:
        """Unfolds all of it.

        Raises:
            CorruptImageError: Another size or content than the directory says.
        """
        with decoding("The zip archive"):
            packed = self.packed(0, self._packed_size)
            data = packed if self.is_stored else _inflated(packed, self._size)
            if len(data) != self._size or isal_zlib.crc32(data) != self.checksum:
                raise BadZipFile("the member differs from its size or checksum")
        return InMemory(data)

    def packed(self, offset: int, count: int) -> bytes:
        """Bytes as they lie in the archive, fewer than `count` at their end.

        Raises:
            BadZipFile: No member where the directory says.
        """
        if not self._data_offset:
            self._data_offset = self._found()
        wanted = max(0, min(count, self._packed_size - offset))
        return os.pread(self._archive, wanted, self._data_offset + offset)

    def _first(self, count: int) -> bytes:
        wanted = min(count, self._size)
        with decoding("The zip archive"):
            if self.is_stored:
                return self.packed(0, wanted)
            data, read = b"", 0
            inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            while len(data) < wanted:
                packed = self.packed(read, max(wanted, PACKED_BYTES if read else 0))
                if inflater.eof or not packed:
                    raise BadZipFile("the member ends early")
                read += len(packed)
                data += inflater.decompress(packed, wanted - len(data))
        return data

    def _found(self) -> int:
        """Where the packed bytes begin: behind the local header (APPNOTE 4.3.7)."""
        header = os.pread(self._archive, LOCAL_HEADER_BYTES, self._header_offset)
        if header[:4] != LOCAL_HEADER_SIGNATURE or len(header) < LOCAL_HEADER_BYTES:
            raise BadZipFile("no member where the directory says")
        name_bytes, extra_bytes = struct.unpack("<HH", header[26:])
        return int(self._header_offset + LOCAL_HEADER_BYTES + name_bytes + extra_bytes)


class _Unfolding(RawIOBase):
    """The bytes of a member, one after another."""

    name = ""
    """pydicom asks a stream for one."""

    def __init__(self, member: ZipMember) -> None:
        super().__init__()
        self._member = member
        self._restart()

    def _restart(self) -> None:
        self._at = self._read = self._checksum = 0
        self._inflater = IgzipDecompressor(DECOMP_DEFLATE)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Forward by unfolding, back by beginning again."""
        target = offset + (self._at if whence == os.SEEK_CUR else 0)
        if target < self._at:
            self._restart()
        while self._at < target and self._next(min(target - self._at, UNFOLDED_BYTES)):
            pass
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typed as any writable buffer
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self, most: int) -> bytes:
        left = self._member.size - self._at
        data = self._piece(min(most, left)) if left else b""
        self._at += len(data)
        self._checksum = isal_zlib.crc32(data, self._checksum)
        if not left and self._checksum != self._member.checksum:
            raise BadZipFile("the member differs from its checksum")
        return data

    def _piece(self, most: int) -> bytes:
        """Some bytes, at least one.

        Raises:
            BadZipFile: The member ends before the size that the directory says.
        """
        data = self._member.packed(self._at, most) if self._member.is_stored else self._inflated(most)
        if not data:
            raise BadZipFile("the member ends early")
        return data

    def _inflated(self, most: int) -> bytes:
        """Some bytes; none where the packed ones end, or hold nothing more."""
        data = b""
        while not data and not self._inflater.eof:
            wanted = PACKED_BYTES if self._inflater.needs_input else 0
            packed = self._member.packed(self._read, wanted)
            self._read += len(packed)
            data = self._inflater.decompress(packed, most)
            if not data and not packed:
                break
        return data


def _inflated(packed: bytes, size: int) -> bytes:
    """All of a member; libdeflate ends where more than `size` bytes would come out."""
    return bytes(imagecodecs.deflate_decode(packed, raw=True, out=size))
