"""The pixel element of a DICOM slice, byte for byte and alone: nothing before it, nothing behind it, nothing mended."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from app.imaging.dicom.encoding import UNDEFINED_LENGTH
from app.imaging.dicom.file import PixelPlace

BLOCK_BYTES: Final = 1 << 20
PIXELS: Final = (0x7FE0, 0x0010)
ITEM: Final = struct.Struct("<HHI")
"""Tag and length of a fragment; fragments are little endian (PS3.5 A.4)."""
LENGTH: Final = struct.Struct("<I")
TAG_BYTES: Final = 4
FRAGMENT: Final = ITEM.pack(0xFFFE, 0xE000, 0)[:TAG_BYTES]
END_OF_FRAGMENTS: Final = ITEM.pack(0xFFFE, 0xE0DD, 0)
NO_FRAGMENT: Final = ITEM.pack(0xFFFE, 0xE00D, 0)
"""Stands for whatever should not be there: the end of an item that never began."""


class Encoding(NamedTuple):
    """How a dataset's elements are written.

    Attributes:
        implicit: Without value representations.
        little: Endian.
    """

    implicit: bool
    little: bool


def copy_pixels(stream: BinaryIO, place: PixelPlace, out: BinaryIO, encoding: Encoding) -> None:
    """Copies the element; a value that is cut off stays cut off.

    Args:
        stream: The file that `place` is of, inflated where that says so; read to its end, where an archive finds damage.
        place: Where its pixels lie.
        out: A dataset without pixels, at its end.
        encoding: Of both.

    Raises:
        Exception: Whatever an archive raises on damage; callers wrap it in `decoding`.
    """
    stream.seek(place.offset)
    start = out.tell()
    out.write(_head(UNDEFINED_LENGTH if place.length is None else place.length, encoding))
    copied = 0
    for part in _fragments(stream) if place.length is None else _blocks(stream, place.length):
        copied += out.write(part)
    if place.length is not None and copied < place.length:
        out.seek(start)
        out.write(_head(copied, encoding))
    while stream.read(BLOCK_BYTES):
        pass


def no_pixels(place: PixelPlace, encoding: Encoding) -> bytes:
    """The element of a slice whose pixels cannot be read: it is there, and no pixel is in it."""
    return _head(UNDEFINED_LENGTH if place.length is None else 0, encoding)


def _head(length: int, encoding: Encoding) -> bytes:
    """Tag, value representation (OW holds whatever a pixel is, PS3.5 A.2; fragments are OB, A.4) and length."""
    order = "<" if encoding.little else ">"
    if encoding.implicit:
        return struct.pack(f"{order}HHI", *PIXELS, length)
    representation = b"OB" if length == UNDEFINED_LENGTH else b"OW"
    return struct.pack(f"{order}HH2sHI", *PIXELS, representation, 0, length)


def _fragments(stream: BinaryIO) -> Iterator[bytes]:
    """Offset table and fragments. The end is marked where it is one, also where a file left that out; not where a fragment is cut off."""
    while len(head := stream.read(ITEM.size)) == ITEM.size and head[:TAG_BYTES] == FRAGMENT:
        yield head
        (left,) = LENGTH.unpack(head[TAG_BYTES:])
        for part in _blocks(stream, left):
            left -= len(part)
            yield part
        if left:
            return
    is_end = len(head) < TAG_BYTES or head[:TAG_BYTES] == END_OF_FRAGMENTS[:TAG_BYTES]
    yield END_OF_FRAGMENTS if is_end else NO_FRAGMENT


def _blocks(stream: BinaryIO, count: int) -> Iterator[bytes]:
    while count and (block := stream.read(min(BLOCK_BYTES, count))):
        count -= len(block)
        yield block
