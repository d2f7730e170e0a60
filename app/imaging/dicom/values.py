"""Bytes of a DICOM element to its value: text and whole numbers, the few kinds that are asked for (PS3.5 6.2).

pydicom's own conversion makes an object of each number and each UID; that takes most of the time of its reading.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from app.imaging.dicom.walk import Wanted

Elements = Mapping[str, Any]
"""Values by keyword. Text, and numbers that DICOM writes as text: a string, or several as a tuple. Binary numbers: an int
or a tuple of them. Sequences: pydicom's. An element without a value is absent."""
Keyed = Elements | Dataset
"""What is asked by keyword: the elements of a file, or an item of a sequence, which pydicom has made."""
TEXT: Final = frozenset({"CS", "DS", "IS", "LO", "SH", "UI"})
BINARY: Final = {"US": (2, False), "SS": (2, True), "UL": (4, False), "SL": (4, True), "US or SS": (2, False)}
"""Bytes of one number, and whether it has a sign; `US or SS` is what Pixel Padding Value is, its sign known later (`dicom.elements`)."""
NO_VALUE: Final = (None, "", ())


def converted(
    raw: bytes, representation: str, order: Literal["little", "big"]
) -> str | int | tuple[str | int, ...]:
    """Bytes of an element of text or of whole numbers to its value."""
    if representation in TEXT:
        text = raw.decode("latin-1")
        if "\\" not in text:
            return text.strip(" \0")
        return tuple([part.strip(" \0") for part in text.split("\\")])
    size, signed = BINARY[representation]
    if len(raw) == size:  # nearly always
        return int.from_bytes(raw, order, signed=signed)
    starts = range(0, len(raw) - size + 1, size)
    numbers = [int.from_bytes(raw[start : start + size], order, signed=signed) for start in starts]
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


@cache
def wanted_elements(keywords: tuple[str, ...]) -> list[tuple[str, int, str]]:
    """Keyword, tag and representation; the tag as a plain number, which is compared in a tenth of the time."""
    return [(keyword, int(Tag(keyword)), dictionary_VR(Tag(keyword))) for keyword in keywords]


@cache
def plain_representations(keywords: tuple[str, ...]) -> Wanted:
    """Of elements that `converted` knows; no representation will do for the others, so files with them are not plain."""
    return {
        tag: {b"", *representation.encode().split(b" or ")}
        if representation in TEXT or representation in BINARY
        else frozenset()
        for _, tag, representation in wanted_elements(keywords)
    }
