"""One DICOM file parsed once: the elements that are asked for, and where its pixels lie.

The pixels are not read here. Of a head CT's 200 elements only those listed are kept, so names, birth dates and the like
never enter the process. Plain files are walked over (`dicom.walk`), which a series of hundreds of them needs; pydicom reads
whatever else there is. Either way the same values are found (`dicom.values`).
"""

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Final

from pydicom import Dataset
from pydicom.config import IGNORE, settings
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from app.errors import ArchiveTooLargeError, CorruptImageError
from app.imaging.dicom.encoding import UNDEFINED_LENGTH
from app.imaging.dicom.values import (
    BINARY,
    NO_VALUE,
    TEXT,
    Elements,
    converted,
    plain_representations,
    wanted_elements,
)
from app.imaging.dicom.walk import META_START, PIXEL_DATA, PIXEL_TAGS, CutOffError, walk
from app.imaging.files.file_kind import DEFLATED
from app.imaging.files.source import BEGINNING_BYTES, InMemory, Source
from app.imaging.limits import DEFAULT_LIMITS, ReadLimits

# pydicom warns and logs with the offending value in the text. Broken values are found by our own checks, and a text
# that may quote a patient is shown nowhere.
settings.reading_validation_mode = IGNORE
warnings.filterwarnings("ignore", module=r"pydicom\b")
logging.getLogger("pydicom").propagate = False
logging.getLogger("pydicom").addHandler(logging.NullHandler())

SNIFFED_BYTES: Final = 1024
"""Holds the file meta group, in which the transfer syntax is named."""
LONG_BEGINNING_BYTES: Final = 1 << 20
"""Holds the headers that `BEGINNING_BYTES` do not: those with a maker's private tables."""


@dataclass(frozen=True)
class PixelPlace:
    """Where the pixels lie in a file.

    Attributes:
        offset: Bytes from the start of the file (of the inflated stream, where `is_deflated`) to the value.
        length: Bytes of the value; None where it is a sequence of fragments (PS3.5 A.4).
        transfer_syntax: UID of the encoding.
        is_deflated: Whether the dataset must be inflated before anything in it has a place.
    """

    offset: int
    length: int | None
    transfer_syntax: str
    is_deflated: bool = False


def parse(
    source: Source, keywords: Sequence[str], limits: ReadLimits = DEFAULT_LIMITS
) -> tuple[Elements, PixelPlace | None]:
    """Reads the wanted elements of one file, with or without preamble and file meta.

    Args:
        source: The file.
        keywords: Elements to keep.
        limits: Bounds of what a deflated file may inflate to.

    Returns:
        The elements by keyword, and the place of the pixels; None where there are none.

    Raises:
        Exception: Whatever pydicom raises on broken bytes; callers wrap it in `decoding`.
    """
    found = _parse_beginning(source, keywords)
    if found is not None:
        return found
    with open_dataset(source, limits) as (stream, is_deflated):
        return parse_any(stream, keywords, is_deflated=is_deflated)


def _parse_beginning(source: Source, keywords: Sequence[str]) -> tuple[Elements, PixelPlace] | None:
    """Unpacks no more than holds the header, and nothing more of a file that is not plain."""
    for count in (BEGINNING_BYTES, LONG_BEGINNING_BYTES):
        with suppress(CutOffError):
            return parse_plain(source.head(count), keywords)
    return None


def parse_plain(data: bytes, keywords: Sequence[str]) -> tuple[Elements, PixelPlace] | None:
    """What `parse_any` finds, in a fraction of the time; None where a file is not plain enough for that.

    Args:
        data: The file, or as much of its beginning as holds everything before the pixels.
        keywords: Elements to keep.

    Raises:
        CutOffError: It is plain as far as it goes, and goes not as far as the pixels.
    """
    asked_for = tuple(keywords)
    found = walk(data, plain_representations(asked_for))
    if found is None:
        return None
    elements = {}
    for keyword, tag, representation in wanted_elements(asked_for):
        if raw := found.values.get(tag):
            value = converted(raw, representation, "little")
            if value not in NO_VALUE:
                elements[keyword] = value
    return elements, PixelPlace(found.pixel_offset, found.pixel_length, found.transfer_syntax)


def parse_any(
    stream: BinaryIO, keywords: Sequence[str], *, is_deflated: bool = False
) -> tuple[Elements, PixelPlace | None]:
    """What pydicom finds, whatever the file is like; see `parse`."""
    dataset = read_partial(stream, stop_when=_is_pixels, force=True, specific_tags=_tags(tuple(keywords)))
    return _elements(dataset, tuple(keywords)), _pixel_place(stream, dataset, is_deflated=is_deflated)


@contextmanager
def open_dataset(source: Source, limits: ReadLimits) -> Iterator[tuple[BinaryIO, bool]]:
    """Opens a file for parsing as it is, or inflated within limits; says which.

    A deflated dataset (PS3.5 A.5) is inflated by us, not by pydicom, because pydicom would inflate a bomb whole.
    """
    head = source.head(SNIFFED_BYTES)
    is_deflated = head[128:132] == b"DICM" and DEFLATED in head[: _end_of_meta(head)]
    with inflated(source, limits).open() if is_deflated else source.open() as stream:
        yield stream, is_deflated


def inflated(source: Source, limits: ReadLimits) -> InMemory:
    """A deflated file as it would be plain: preamble and meta as they are but for the syntax's name, then the inflated dataset.

    Raises:
        ArchiveTooLargeError: It inflates to more than is allowed.
        CorruptImageError: It is cut short.
    """
    with source.open() as stream:
        data = stream.read()
    start = _end_of_meta(data)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflater.decompress(data[start:], limits.max_archive_bytes)
    if inflater.unconsumed_tail:
        raise ArchiveTooLargeError(
            f"Expected a DICOM file that inflates to at most {limits.max_archive_bytes} bytes, found more. "
            "Send it uncompressed.",
            limit=limits.max_archive_bytes,
        )
    if not inflater.eof:
        raise CorruptImageError("A deflated DICOM file ends before its data does. Send the complete file.")
    # The same length, so that the meta group's own length stays true; padded as UIDs are (PS3.5 9.1).
    plain = ExplicitVRLittleEndian.encode().ljust(len(DEFLATED), b"\0")
    return InMemory(data[:start].replace(DEFLATED, plain) + body)


def _end_of_meta(data: bytes) -> int:
    """Offset of the dataset, from (0002,0000), the first element of the meta group (PS3.10 7.1)."""
    return META_START + int.from_bytes(data[META_START - 4 : META_START], "little")


def _elements(dataset: Dataset, keywords: tuple[str, ...]) -> Elements:
    found = {}
    present = dataset.keys()
    for keyword, tag, representation in wanted_elements(keywords):
        if tag in present:
            value = _value(dataset, tag, representation)
            if value not in NO_VALUE:
                found[keyword] = value
    return found


def _value(dataset: Dataset, tag: int, representation: str) -> object:
    raw: object = dataset.get_item(tag)  # typed as never raw, which it is
    if not isinstance(raw, RawDataElement) or raw.value is None:
        return dataset[tag].value
    if representation in TEXT or representation in BINARY:
        return converted(raw.value, representation, "little" if raw.is_little_endian else "big")
    return dataset[tag].value


def _is_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) >= PIXEL_TAGS


def _pixel_place(stream: BinaryIO, dataset: Dataset, *, is_deflated: bool) -> PixelPlace | None:
    """Reads the pixel element's own header, at which parsing stopped."""
    implicit, little = map(bool, dataset.original_encoding)
    order = "<" if little else ">"
    head = stream.read(12)
    if len(head) < 12 or struct.unpack(order + "HH", head[:4]) != (PIXEL_DATA >> 16, PIXEL_DATA & 0xFFFF):  # noqa: PLR2004
        return None
    start = stream.tell() - 12
    size, length = (8, head[4:8]) if implicit else (12, head[8:12])
    value_length = struct.unpack(order + "I", length)[0]
    syntax = str(getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", "")) or plain_syntax(
        implicit, little
    )
    return PixelPlace(
        start + size,
        None if value_length == UNDEFINED_LENGTH else value_length,
        syntax.rstrip("\0"),
        is_deflated,
    )


def plain_syntax(implicit: bool, little: bool) -> str:
    """What a file that does not say it must be, by how its elements could be read."""
    if implicit:
        return str(ImplicitVRLittleEndian)
    return str(ExplicitVRLittleEndian if little else ExplicitVRBigEndian)


@cache
def _tags(keywords: tuple[str, ...]) -> list[BaseTag | int]:
    return [Tag(tag) for _, tag, _ in wanted_elements(keywords)]
