"""The values of elements: text without its padding, numbers in either byte order, one or many."""

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmwrite

from app.imaging.dicom.file import parse_any
from app.imaging.dicom.values import converted, plain_representations


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"CT", "CT"),
        (b"1.2.840\0", "1.2.840"),
        (b" 4.5  ", "4.5"),
        (b"ORIGINAL\\PRIMARY ", ("ORIGINAL", "PRIMARY")),
        (b"1\\ 2\\", ("1", "2", "")),
        (b"\xe9 ", "é"),
        (b"  ", ""),
    ],
)
def test_text_loses_its_padding_and_nothing_else(raw: bytes, value: object) -> None:
    assert converted(raw, "CS", "little") == value


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=4), st.booleans(), st.binary(max_size=1))
def test_numbers_are_one_or_many_and_what_is_no_number_falls_away(
    numbers: list[int], little: bool, rest: bytes
) -> None:
    raw = struct.pack(f"{'<' if little else '>'}{len(numbers)}H", *numbers) + rest
    value = converted(raw, "US", "little" if little else "big")
    assert value == (numbers[0] if len(numbers) == 1 else tuple(numbers))


def test_signed_numbers_keep_their_sign() -> None:
    assert converted(struct.pack("<h", -1500), "SS", "little") == -1500
    assert converted(struct.pack("<i", -70000), "SL", "little") == -70000


@pytest.mark.parametrize("implicit", [True, False])
def test_an_element_without_a_value_is_absent_however_it_is_written(implicit: bool) -> None:
    dataset = Dataset()
    dataset.Modality, dataset.EchoTime, dataset.Rows, dataset.Columns = "", None, None, 7
    stream = BytesIO()
    dcmwrite(stream, dataset, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    stream.seek(0)
    assert parse_any(stream, ("Modality", "EchoTime", "Rows", "Columns"))[0] == {"Columns": 7}


def test_a_sequence_is_written_in_no_plain_way() -> None:
    tags = plain_representations(("ModalityLUTSequence", "Rows", "PixelPaddingValue"))
    assert tags == {0x00283000: set(), 0x00280010: {b"", b"US"}, 0x00280120: {b"", b"US", b"SS"}}
