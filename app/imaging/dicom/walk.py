"""The elements of a plain DICOM file, found by walking over its bytes (PS3.5 section 7).

pydicom reads every dataset there is and makes objects of all it passes. Most files need none of that: preamble and file
meta, little endian, elements in ascending order. Those are walked here, and only what is asked for is taken out. Whatever
is not wholly plain is left to pydicom, which stays the judge of it: `walk` answers None and never guesses. So every rule
below is at least as strict as pydicom's reading, and where a walk arrives, pydicom arrives with the same bytes.

Sequences are passed over: by their length where they state one, item by item where they do not.
"""

import re
import struct
from collections.abc import Mapping, Set
from typing import Final, NamedTuple

from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_VR

from app.imaging.dicom.encoding import (
    DELIMITERS,
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED_LENGTH,
    Header,
    ReadHeader,
    UnclearError,
    read_explicit,
    read_implicit,
)

PREAMBLE_END: Final = 132
"""128 bytes of preamble and `DICM` (PS3.10 7.1)."""
META_LENGTH: Final = b"\x02\x00\x00\x00UL\x04\x00"
"""Header of (0002,0000), the first element of the meta group; its value counts from behind it to the group's end."""
META_START: Final = PREAMBLE_END + len(META_LENGTH) + 4
META_FIRST: Final = 0x00020000
META_LAST: Final = 0x0002FFFF
TRANSFER_SYNTAX: Final = 0x00020010
CHARACTER_SET: Final = 0x00080005
PIXEL_TAGS: Final = 0x7FE00008
"""Float Pixel Data is the first; nothing of ours comes after them."""
PIXEL_DATA: Final = 0x7FE00010
PIXEL_HEADER_BYTES: Final = 12
PIXEL_REPRESENTATIONS: Final = frozenset({b"", b"OB", b"OW"})
DEEPEST: Final = 8
"""Levels of sequences of undefined length within each other that are followed."""
IMPLICIT: Final = "1.2.840.10008.1.2"
NOT_PLAIN: Final = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"})
"""Deflated, and big endian."""
STANDARD: Final = re.compile(rb"1\.2\.840\.10008\.[0-9.]+\0?")
"""A UID of the standard's own; null pads it to an even length (PS3.5 9.1)."""

Wanted = Mapping[int, Set[bytes]]
"""Tags to take, with the representations they may be written in; the empty one is that of a file that writes none."""
_CHARACTER_SET_ONLY: Final[Wanted] = {CHARACTER_SET: frozenset({b"", b"CS"})}


class Walked(NamedTuple):
    """What a walk found.

    Attributes:
        values: Bytes of the wanted elements that are there, by tag.
        transfer_syntax: UID.
        pixel_offset: Bytes from the start to the value of Pixel Data.
        pixel_length: Of that value; None where it is a sequence of fragments (PS3.5 A.4).
    """

    values: dict[int, bytes]
    transfer_syntax: str
    pixel_offset: int
    pixel_length: int | None


class CutOffError(Exception):
    """There are too few bytes to tell."""


class _Span(NamedTuple):
    """Elements in a row: where the first begins, what no value may reach beyond, and the tags that there may be."""

    start: int
    end: int
    above: int
    below: int


def walk(data: bytes, wanted: Wanted) -> Walked | None:
    """Finds elements of a plain file, up to its Pixel Data.

    Args:
        data: The file, or as much of its beginning as holds everything before the pixels.
        wanted: What to take.

    Returns:
        None where the file is not plain.

    Raises:
        CutOffError: It is plain as far as it goes, and goes not as far as the pixels.
    """
    try:
        syntax, start = _meta(data)
        elements = _Elements(data, read_implicit if syntax == IMPLICIT else read_explicit)
        values, tag, position = elements.scan(
            _Span(start, len(data), META_LAST, PIXEL_TAGS), {**wanted, **_CHARACTER_SET_ONLY}
        )
        if tag is None or len(data) < position + PIXEL_HEADER_BYTES:
            raise CutOffError
        _, representation, length, offset = elements.read(position)
    except UnclearError:
        return None
    except struct.error:  # a header would lie beyond the end
        raise CutOffError from None
    if tag != PIXEL_DATA or representation not in PIXEL_REPRESENTATIONS:
        return None
    return Walked(values, syntax, offset, None if length == UNDEFINED_LENGTH else length)


def _meta(data: bytes) -> tuple[str, int]:
    """The transfer syntax that the file meta group names, and where the group ends (PS3.10 7.1)."""
    if data[PREAMBLE_END - 4 : META_START - 4] != b"DICM" + META_LENGTH:
        raise UnclearError
    end = META_START + int.from_bytes(data[META_START - 4 : META_START], "little")
    if end > len(data):
        raise CutOffError
    group = _Elements(data, read_explicit)
    values, tag, _ = group.scan(
        _Span(META_START, end, META_FIRST, META_LAST + 1), {TRANSFER_SYNTAX: frozenset({b"UI"})}
    )
    syntax = values.get(TRANSFER_SYNTAX, b"")
    if tag is not None or not STANDARD.fullmatch(syntax):
        raise UnclearError
    uid = syntax.rstrip(b"\0").decode("ascii")
    if uid in NOT_PLAIN or (uid == IMPLICIT and _looks_explicit(data, end)):
        raise UnclearError
    return uid, end


def _looks_explicit(data: bytes, start: int) -> bool:
    """Whether two capitals stand where an explicit representation would; pydicom believes them, not the meta group."""
    representation = data[start + 4 : start + 6]
    return representation.isalpha() and representation.isupper()


class _Elements:
    """Walks over the elements of one file that are written in one way."""

    def __init__(self, data: bytes, read: ReadHeader) -> None:
        self._data, self._read, self._depth = data, read, 0

    def read(self, position: int) -> Header:
        """The header at a position."""
        return self._read(self._data, position)

    def scan(self, span: _Span, wanted: Wanted) -> tuple[dict[int, bytes], int | None, int]:
        """Walks from element to element.

        Returns:
            Bytes by tag; the first tag beyond the span's, None where the span ended exactly; where the walk ended.
        """
        values: dict[int, bytes] = {}
        data, read = self._data, self._read
        position, end, last, below = span
        while position < end:
            tag, representation, length, start = read(data, position)
            if tag >= below:
                return values, tag, position
            if tag <= last:  # in ascending order, each once (PS3.5 7.1)
                raise UnclearError
            last = tag
            position = (
                start + length
                if length != UNDEFINED_LENGTH
                else self._behind_items(tag, representation, start, end)
            )
            if position > end or (position - start) & 1:
                raise self._doubt(position, end)
            if tag in wanted:
                values[tag] = _accepted(tag, representation, data[start:position], wanted)
        if position != end:
            raise self._doubt(position, end)
        return values, None, position

    def _doubt(self, position: int, end: int) -> Exception:
        """What is wrong with a value that ends at a position and has an end before or elsewhere."""
        return CutOffError() if position > end >= len(self._data) else UnclearError()

    def _behind_items(self, tag: int, representation: bytes, start: int, end: int) -> int:
        """Where a sequence of undefined length ends: element by element, as its delimiter may occur in a value."""
        item, _, length, position = read_implicit(self._data, start)
        if self._depth == DEEPEST or not _is_sequence(tag, representation, item):
            raise UnclearError
        self._depth += 1
        while item == ITEM:
            position = self._behind_item(length, position, end)
            item, _, length, position = read_implicit(self._data, position)
        self._depth -= 1
        if item != SEQUENCE_END or length:
            raise UnclearError
        return position

    def _behind_item(self, length: int, start: int, end: int) -> int:
        """Where one item ends, of a stated length or by its delimiter (PS3.5 7.5.1)."""
        if length != UNDEFINED_LENGTH:
            behind = start + length
            if behind > end:
                raise self._doubt(behind, end)
            if self.scan(_Span(start, behind, -1, DELIMITERS), _CHARACTER_SET_ONLY)[1] is not None:
                raise UnclearError
            return behind
        _, stopped, position = self.scan(_Span(start, end, -1, DELIMITERS), _CHARACTER_SET_ONLY)
        _, _, rest, behind = read_implicit(self._data, position)
        if stopped != ITEM_END or rest:
            raise UnclearError
        return behind


def _accepted(tag: int, representation: bytes, value: bytes, wanted: Wanted) -> bytes:
    """A value, where it is written as the dictionary says; a character set, where pydicom knows it."""
    if representation not in wanted[tag]:
        raise UnclearError
    if tag == CHARACTER_SET and not python_encoding.keys() >= set(
        value.decode("latin-1").rstrip(" \0").split("\\")
    ):
        raise UnclearError
    return value


def _is_sequence(tag: int, representation: bytes, first: int) -> bool:
    """Whether pydicom, too, reads an element of undefined length as a sequence.

    Where no representation is written it asks its dictionary, and what is not in there, whether an item comes first.
    """
    if representation:
        return representation == b"SQ"
    try:
        return bool(dictionary_VR(tag) == "SQ")
    except KeyError:
        return first == ITEM
