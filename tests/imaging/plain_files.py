"""DICOM files written byte by byte (PS3.5 7.1, PS3.10 7.1), and strategies that draw them: for readers that read so."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from app.imaging.dicom.elements import KEYWORDS

LONG = {"OB", "OW", "SQ", "UN", "UT"}
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010


@dataclass(frozen=True)
class Items:
    """A sequence.

    Attributes:
        items: The elements of each item, in any order.
        is_undefined: Whether it states no length and ends by a delimiter; so do its items.
    """

    items: tuple["Elements", ...]
    is_undefined: bool


Element = tuple[int, str, bytes | Items]
"""Tag, value representation, value."""
Elements = Sequence[Element]


def written(elements: Elements, *, implicit: bool) -> bytes:
    """Elements by ascending tag."""
    return b"".join(
        _element(tag, representation, value, implicit=implicit)
        for tag, representation, value in sorted(elements, key=lambda one: one[0])
    )


def plain_file(elements: Elements, *, implicit: bool) -> bytes:
    """A Part 10 file of these elements and four bytes of pixels."""
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    meta = written([(0x00020010, "UI", _even(syntax.encode(), b"\0"))], implicit=False)
    head = bytes(128) + b"DICM" + written([(0x00020000, "UL", struct.pack("<I", len(meta)))], implicit=False)
    return head + meta + written([*elements, (PIXEL_DATA, "OW", b"\1\2\3\4")], implicit=implicit)


def _element(tag: int, representation: str, value: bytes | Items, *, implicit: bool) -> bytes:
    data = value if isinstance(value, bytes) else _items(value, implicit=implicit)
    length = UNDEFINED if isinstance(value, Items) and value.is_undefined else len(data)
    place = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return place + struct.pack("<I", length) + data
    if representation in LONG:
        return place + representation.encode() + struct.pack("<HI", 0, length) + data
    return place + representation.encode() + struct.pack("<H", length) + data


def _items(sequence: Items, *, implicit: bool) -> bytes:
    parts = [written(item, implicit=implicit) for item in sequence.items]
    if not sequence.is_undefined:
        return b"".join(_delimiter(ITEM, len(part)) + part for part in parts)
    inside = b"".join(_delimiter(ITEM, UNDEFINED) + part + _delimiter(ITEM_END, 0) for part in parts)
    return inside + _delimiter(SEQUENCE_END, 0)


def _delimiter(tag: int, length: int) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)


def _even(value: bytes, padding: bytes) -> bytes:
    return value + padding if len(value) % 2 else value


def _text() -> st.SearchStrategy[bytes]:
    return st.text("AZ09.-\\ é\0", max_size=12).map(lambda text: _even(text.encode("latin-1"), b" "))


def _numbers() -> st.SearchStrategy[bytes]:
    return st.lists(st.binary(min_size=2, max_size=2), max_size=3).map(b"".join)


def _asked_for(keyword: str) -> st.SearchStrategy[Element]:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    representation = dictionary_VR(tag)
    if representation in {"US", "US or SS"}:
        return st.tuples(st.just(tag), st.just("US"), _numbers())
    return st.tuples(st.just(tag), st.just(representation), _text())


def _others() -> st.SearchStrategy[Element]:
    """Names, private tables, pixels of icons: what is to be passed over."""
    short = st.tuples(
        st.sampled_from([0x00100010, 0x00291010, 0x00080000, 0x00280106]),
        st.sampled_from(["PN", "LO", "UL", "US"]),
        st.binary(max_size=10).map(lambda value: _even(value, b"\0")),
    )
    charset = st.tuples(
        st.just(0x00080005),
        st.just("CS"),
        st.sampled_from([b"ISO_IR 100", b"\\ISO 2022 IR 87", b"", b"ISO_IR 192"]),
    )
    return st.one_of(short, charset.filter(lambda one: len(one[2]) % 2 == 0))


def _sequences(inside: st.SearchStrategy[Element]) -> st.SearchStrategy[Element]:
    item = st.lists(inside, max_size=3, unique_by=lambda one: one[0]).map(tuple)
    items = st.builds(Items, st.lists(item, max_size=2).map(tuple), st.booleans())
    return st.tuples(st.sampled_from([0x00081140, 0x00321064, 0x00400275, 0x00880200]), st.just("SQ"), items)


SKIPPED = st.recursive(_others(), _sequences, max_leaves=6)
ASKED_FOR = st.sampled_from([name for name in KEYWORDS if not name.endswith("Sequence")]).flatmap(_asked_for)
CLASS: Element = (0x00080016, "UI", _even(CTImageStorage.encode(), b"\0"))


@st.composite
def plain_files(draw: st.DrawFn) -> bytes:
    """Files with elements that are asked for among others that are not."""
    drawn = draw(st.lists(ASKED_FOR | SKIPPED, max_size=16, unique_by=lambda one: one[0]))
    return plain_file([CLASS, *(one for one in drawn if one[0] != CLASS[0])], implicit=draw(st.booleans()))
