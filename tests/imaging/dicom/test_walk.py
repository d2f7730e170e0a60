"""A walk gives what pydicom gives, or nothing: on real files, on drawn ones, and on damaged ones."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
)

from app.imaging.dicom.elements import KEYWORDS
from app.imaging.dicom.file import parse_any, parse_plain
from app.imaging.dicom.walk import DEEPEST, META_START, CutOffError
from tests.imaging.encodings import compressed, transcoded
from tests.imaging.enhanced import write_enhanced
from tests.imaging.making import Series
from tests.imaging.plain_files import CLASS, Element, Items, plain_file, plain_files

HEAD_BYTES = 1 << 17
ROWS: Element = (0x00280010, "US", b"\x40\x00")


def is_walked(data: bytes) -> bool:
    """Whether the walk has an answer, which must then be pydicom's, to the types of its values."""
    try:
        walked = parse_plain(data, KEYWORDS)
    except CutOffError:
        return False
    if walked is None:
        return False
    elements, place = parse_any(BytesIO(data), KEYWORDS)
    assert repr(walked) == repr((elements, place))
    return True


def sequence(items: Sequence[Sequence[Element]], *, is_undefined: bool = True) -> Element:
    return 0x00081140, "SQ", Items(tuple(items), is_undefined)


@pytest.mark.samples
@pytest.mark.parametrize("folder", ["ct-head-ge", "ct-phantom-philips"])
def test_every_slice_of_a_real_ct_is_walked(samples: Path, folder: str) -> None:
    files = [path for path in sorted((samples / folder).rglob("*")) if path.is_file()]
    assert [is_walked(path.read_bytes()) for path in files] == [True] * 28


@pytest.mark.samples
def test_every_slice_of_a_real_t1_in_a_zip_is_walked(samples: Path) -> None:
    with ZipFile(samples / "mr-t1/studyforrest-sub02-t1.zip") as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        heads = [archive.open(member).read(HEAD_BYTES) for member in members]
    assert [is_walked(head) for head in heads] == [True] * 384


@pytest.mark.samples
def test_other_real_files_are_walked_where_they_are_plain(samples: Path) -> None:
    folders = samples / "encodings", samples / "hostile" / "dicom"
    files = {path.name: path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()}
    walked = {name for name, path in files.items() if is_walked(path.read_bytes())}
    assert walked >= {"1.dcm", "2.dcm", "4.dcm", "5.dcm", "9.dcm", "CT_small.dcm", "JPEG-lossy.dcm"}
    assert not walked & {"3.dcm", "MR_small_bigendian.dcm", "no_meta.dcm", "DICOMDIR", "rtplan.dcm"}


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_classic_slice_in_little_endian_is_walked(tmp_path: Path, syntax: str) -> None:
    assert all(is_walked(path.read_bytes()) for path in transcoded(Series(), tmp_path / "a", syntax))


def test_a_compressed_slice_is_walked(tmp_path: Path) -> None:
    files = compressed(Series(), tmp_path / "a", JPEGLSLossless)
    assert all(is_walked(path.read_bytes()) for path in files)


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_other_byte_orders_and_deflated_files_are_left_to_pydicom(tmp_path: Path, syntax: str) -> None:
    assert not any(is_walked(path.read_bytes()) for path in transcoded(Series(), tmp_path / "a", syntax))


def test_enhanced_images_are_left_to_pydicom(tmp_path: Path) -> None:
    assert not is_walked(write_enhanced(Series(), tmp_path / "a").read_bytes())


def test_a_beginning_that_holds_the_header_is_enough_and_less_is_not() -> None:
    data = plain_file([CLASS, ROWS], implicit=False)
    whole = parse_plain(data, KEYWORDS)
    assert whole is not None
    assert parse_plain(data[: whole[1].offset], KEYWORDS) == whole
    for end in range(META_START, whole[1].offset):
        with pytest.raises(CutOffError):
            parse_plain(data[:end], KEYWORDS)


def test_of_a_file_that_is_not_plain_no_more_than_the_beginning_is_asked_for() -> None:
    data = plain_file([CLASS, (0x00080018, "XX", b"  "), (0x00280010, "US", bytes(9000))], implicit=False)
    assert parse_plain(data[:8192], KEYWORDS) is None


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("is_undefined", [True, False])
def test_sequences_are_passed_over_whatever_lies_in_them(implicit: bool, is_undefined: bool) -> None:
    trap: Element = (0x00280010, "US", b"\xfe\xff\xdd\xe0\x00\x00\x00\x00")  # a delimiter as a value
    inner = sequence([[trap]], is_undefined=is_undefined)
    data = plain_file(
        [CLASS, sequence([[inner], [], [trap]], is_undefined=is_undefined), ROWS], implicit=implicit
    )
    assert is_walked(data)
    walked = parse_plain(data, KEYWORDS)
    assert walked is not None
    assert walked[0]["Rows"] == 64


def test_sequences_are_followed_to_a_bounded_depth() -> None:
    def nested(depth: int) -> Element:
        return sequence([[nested(depth - 1)]] if depth > 1 else [[]])

    assert is_walked(plain_file([CLASS, nested(DEEPEST)], implicit=False))
    assert not is_walked(plain_file([CLASS, nested(DEEPEST + 1)], implicit=False))


@pytest.mark.parametrize(
    "odd",
    [
        (0x00283000, "SQ", Items(((),), False)),  # a modality LUT
        (0x00280010, "UL", b"\x40\x00\x00\x00"),  # another representation than the dictionary's
        (0x00280010, "UN", b"\x40\x00"),
        (0x00100010, "XX", b"  "),  # an unknown one
        (0x00100010, "PN", b"odd"),
        (0x00080005, "CS", b"NO SUCH SET "),
        (0x00081140, "OB", Items((), True)),  # of undefined length and no sequence
    ],
)
def test_what_is_not_plain_is_left_to_pydicom(odd: Element) -> None:
    plain: list[Element] = [CLASS, (0x00280011, "US", b"\x40\x00")]
    assert is_walked(plain_file(plain, implicit=False))
    assert not is_walked(plain_file([*plain, odd], implicit=False))


def test_elements_out_of_order_or_twice_are_left_to_pydicom() -> None:
    assert not is_walked(plain_file([CLASS, ROWS, ROWS], implicit=False))
    data = plain_file([CLASS, ROWS], implicit=False)
    at, rows = data.index(b"\x08\x00\x16\x00"), data.index(b"\x28\x00\x10\x00")
    pixels = data.index(b"\xe0\x7f\x10\x00")
    assert not is_walked(data[:at] + data[rows:pixels] + data[at:rows] + data[pixels:])


@given(plain_files())
@settings(max_examples=60)
def test_a_plain_file_is_walked_to_what_pydicom_finds(data: bytes) -> None:
    assert is_walked(data)


@given(
    plain_files(),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=3),
    st.floats(0.5, 2),
)
@settings(max_examples=120)
def test_a_damaged_file_is_walked_to_what_pydicom_finds_or_left_to_it(
    data: bytes, damage: list[tuple[float, bytes]], kept: float
) -> None:
    damaged = bytearray(data)
    for share, bits in damage:
        at = 128 + int(share * (len(data) - 128 - len(bits)))
        damaged[at : at + len(bits)] = bits
    is_walked(bytes(damaged[: int(kept * len(data))]))
