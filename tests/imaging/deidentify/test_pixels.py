"""The pixel element is copied byte for byte, in the encoding of its dataset, and ends where it ended."""

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.deidentify.pixels import Encoding, copy_pixels, no_pixels
from app.imaging.dicom.file import PixelPlace

EXPLICIT, IMPLICIT, BIG = Encoding(False, True), Encoding(True, True), Encoding(False, False)
BEFORE, BEHIND = b"words before", b"words behind"


def copied(value: bytes, length: int | None, encoding: Encoding = EXPLICIT) -> bytes:
    out = BytesIO()
    copy_pixels(BytesIO(BEFORE + value), PixelPlace(len(BEFORE), length, "of no matter"), out, encoding)
    return out.getvalue()


def item(element: int, content: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0xFFFE, element, len(content) if length is None else length) + content


FRAGMENTS = item(0xE000) + item(0xE000, b"one!") + item(0xE000, b"another!")
END = item(0xE0DD)
UNDEFINED = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        (EXPLICIT, b"\xe0\x7f\x10\0OW\0\0\x06\0\0\0"),
        (IMPLICIT, b"\xe0\x7f\x10\0\x06\0\0\0"),
        (BIG, b"\x7f\xe0\0\x10OW\0\0\0\0\0\x06"),
    ],
)
def test_cells_are_copied_and_nothing_behind_them(encoding: Encoding, head: bytes) -> None:
    assert copied(b"pixels" + BEHIND, 6, encoding) == head + b"pixels"


@given(st.binary(max_size=40), st.integers(0, 60))
def test_cells_that_are_cut_off_say_how_many_are_there(cells: bytes, length: int) -> None:
    there = cells[:length]
    assert copied(cells, length) == b"\xe0\x7f\x10\0OW\0\0" + struct.pack("<I", len(there)) + there


def test_fragments_are_copied_and_nothing_behind_them() -> None:
    assert copied(FRAGMENTS + END + BEHIND, None) == UNDEFINED + FRAGMENTS + END


def test_an_end_that_was_left_out_is_put_in() -> None:
    assert copied(FRAGMENTS, None) == UNDEFINED + FRAGMENTS + END


def test_a_fragment_that_is_cut_off_swallows_no_end() -> None:
    cut = FRAGMENTS[:-3]
    assert copied(cut, None) == UNDEFINED + cut


@pytest.mark.parametrize("there", range(8))
def test_an_end_that_is_cut_off_is_one_still(there: int) -> None:
    assert copied(FRAGMENTS + END[:there], None) == UNDEFINED + FRAGMENTS + END


def test_a_fragment_that_lost_bytes_and_reaches_into_the_end_is_followed_by_none() -> None:
    """The last fragment takes two bytes of the mark of the end, whose rest is no tag that belongs there."""
    lost = FRAGMENTS[:-2] + END
    assert copied(lost, None) == UNDEFINED + lost[: len(FRAGMENTS)] + item(0xE00D)


def test_what_is_no_fragment_is_not_copied_and_still_none() -> None:
    assert copied(FRAGMENTS + BEHIND, None) == UNDEFINED + FRAGMENTS + item(0xE00D)


@pytest.mark.parametrize("length", [6, None])
def test_a_place_behind_the_end_of_the_file_has_no_pixels(length: int | None) -> None:
    out = BytesIO()
    place = PixelPlace(100, length, "of no matter")
    copy_pixels(BytesIO(BEFORE), place, out, EXPLICIT)
    assert out.getvalue().removesuffix(END) == no_pixels(place, EXPLICIT)


def test_the_file_is_read_to_its_end_where_an_archive_finds_damage() -> None:
    stream = BytesIO(BEFORE + b"pixels" + BEHIND)
    copy_pixels(stream, PixelPlace(len(BEFORE), 6, "of no matter"), BytesIO(), EXPLICIT)
    assert not stream.read()
