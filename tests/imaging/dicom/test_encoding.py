"""Headers of elements, with and without their representation, and of items, which never have one."""

import pytest

from app.imaging.dicom.encoding import ITEM, LONG, SHORT, UnclearError, read_explicit, read_implicit

ROWS = b"\x28\x00\x10\x00"
BEFORE = b"..."


@pytest.mark.parametrize("representation", sorted(SHORT))
def test_most_representations_have_a_length_of_two_bytes(representation: bytes) -> None:
    data = BEFORE + ROWS + representation + b"\x02\x01"
    assert read_explicit(data, 3) == (0x00280010, representation, 0x0102, 11)


@pytest.mark.parametrize("representation", sorted(LONG))
def test_the_others_have_one_of_four_after_two_that_are_reserved(representation: bytes) -> None:
    data = BEFORE + ROWS + representation + b"\0\0\x04\x03\x02\x01"
    assert read_explicit(data, 3) == (0x00280010, representation, 0x01020304, 15)


def test_without_a_representation_the_length_has_four() -> None:
    assert read_implicit(BEFORE + ROWS + b"\x04\x03\x02\x01", 3) == (0x00280010, b"", 0x01020304, 11)


def test_an_item_is_written_the_same_way_in_both() -> None:
    data = b"\xfe\xff\x00\xe0\x04\x03\x02\x01"
    assert read_explicit(data, 0) == read_implicit(data, 0) == (ITEM, b"", 0x01020304, 8)


def test_an_unknown_representation_is_unclear() -> None:
    with pytest.raises(UnclearError):
        read_explicit(ROWS + b"XX\x02\x00", 0)
