"""Every transfer syntax: encoded by another hand, decoded to the very bits the header speaks of."""

from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from app.errors import CorruptImageError, UnsupportedFileError
from app.imaging.dicom.decode import (
    CODECS,
    ENCAPSULATED_UNCOMPRESSED,
    check_syntax,
    decode_frame,
    stored_values,
)
from app.imaging.dicom.header import PixelFormat
from app.imaging.read import read_image
from app.imaging.volume import Modality
from tests.imaging.encodings import LOSSLESS, Encode, Image, compressed
from tests.imaging.making import Series


def form_of(image: Image, bits_stored: int | None = None) -> PixelFormat:
    bits = image.dtype.itemsize * 8
    stored = bits_stored or bits
    rows, columns = image.shape
    return PixelFormat(rows, columns, bits, stored, stored - 1, is_signed=image.dtype.kind == "i")


def texture(dtype: str, bits: int) -> Image:
    """Smooth waves with sharp edges over the whole range of a type of `bits` bits."""
    y, x = np.mgrid[0:48, 0:40]
    share = (np.sin(x / 5) * np.cos(y / 7) + 1) / 2
    share[10:20, 10:30] = 1
    share[30:40, 5:15] = 0
    low = -(1 << (bits - 1)) if np.dtype(dtype).kind == "i" else 0
    return np.asarray(np.round(low + share * ((1 << bits) - 1)), dtype)


@pytest.mark.parametrize("dtype", ["<u2", "<i2"])
@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_codecs_give_the_very_image(syntax: str, dtype: str) -> None:
    image = texture(dtype, 16)
    read = decode_frame(bytes(LOSSLESS[syntax](image)), syntax, form_of(image))
    assert np.array_equal(read, image)
    assert read.dtype == image.dtype


LOSSY: dict[str, tuple[Encode, str, int, int]] = {
    JPEGBaseline8Bit: (lambda image: imagecodecs.jpeg8_encode(image, level=95), "<u1", 8, 12),
    JPEGExtended12Bit: (
        lambda image: imagecodecs.jpeg8_encode(image, level=95, bitspersample=12),
        "<u2",
        12,
        200,
    ),
    JPEGLSNearLossless: (lambda image: imagecodecs.jpegls_encode(image, level=3), "<u2", 16, 3),
    JPEG2000: (
        lambda image: imagecodecs.jpeg2k_encode(image, level=60, codecformat="j2k", reversible=False),
        "<u2",
        16,
        700,
    ),
    HTJ2K: (lambda image: imagecodecs.htj2k_encode(image, level=0.0005, reversible=False), "<u2", 16, 700),
}


@pytest.mark.parametrize("syntax", LOSSY)
def test_lossy_codecs_come_near(syntax: str) -> None:
    encode, dtype, bits, most_off = LOSSY[syntax]
    image = texture(dtype, bits)
    read = decode_frame(bytes(encode(image)), syntax, form_of(image, bits))
    assert 0 < np.abs(read.astype(int) - image.astype(int)).max() <= most_off or most_off == 0


def test_every_codec_is_proved_here() -> None:
    assert set(CODECS) | {ENCAPSULATED_UNCOMPRESSED} == set(LOSSLESS) | set(LOSSY)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.97])
@pytest.mark.parametrize("syntax", LOSSLESS)
def test_a_truncated_image_is_an_error_never_a_grey_area(syntax: str, kept: float) -> None:
    image = texture("<u2", 16)
    data = bytes(LOSSLESS[syntax](image))
    with pytest.raises((CorruptImageError, RuntimeError, ValueError)):
        decode_frame(data[: int(len(data) * kept)], syntax, form_of(image))


@pytest.mark.parametrize("order", ["<", ">"])
def test_plain_cells_in_either_byte_order(order: str) -> None:
    image = texture("<i2", 16)
    syntax = ExplicitVRLittleEndian if order == "<" else ExplicitVRBigEndian
    assert np.array_equal(decode_frame(image.astype(f"{order}i2").tobytes(), syntax, form_of(image)), image)


@given(
    value=st.integers(-2048, 2047),
    shift=st.sampled_from([0, 2, 4]),
    foreign=st.integers(0, 0xFFFF),
    signed=st.booleans(),
)
def test_only_the_stored_bits_count_whatever_lies_around_them(
    value: int, shift: int, foreign: int, signed: bool
) -> None:
    # Twelve bits of value; above and below them lie overlay planes or rubbish (PS3.5 8.1.2).
    kept = value if signed else value + 2048
    mask = 0xFFF << shift
    cell = np.array([[((kept & 0xFFF) << shift) | (foreign & ~mask & 0xFFFF)]], "<u2")
    form = PixelFormat(1, 1, 16, 12, 11 + shift, is_signed=signed)
    assert int(stored_values(cell, form)[0, 0]) == kept


def test_a_codec_of_fewer_bits_than_the_header_keeps_its_values() -> None:
    # A JPEG 2000 of eight bits in a file that allocates sixteen: 200 is 200, not a negative byte.
    form = PixelFormat(1, 2, 16, 12, 11, is_signed=True)
    assert stored_values(np.array([[200, 3]], np.uint8), form).tolist() == [[200, 3]]
    assert stored_values(np.array([[-5, 3]], np.int8), form).tolist() == [[-5, 3]]


@pytest.mark.parametrize(
    "form",
    [
        PixelFormat(1, 1, 16, 0, 0, False),
        PixelFormat(1, 1, 16, 17, 16, False),
        PixelFormat(1, 1, 16, 12, 3, False),
    ],
)
def test_a_bit_depth_that_cannot_be_is_refused(form: PixelFormat) -> None:
    with pytest.raises(CorruptImageError, match="bit depth"):
        stored_values(np.zeros((1, 1), np.uint16), form)


def test_another_size_than_the_header_says_is_refused() -> None:
    image = texture("<u2", 16)
    encoded = bytes(imagecodecs.jpegls_encode(image))
    with pytest.raises(CorruptImageError, match="another size"):
        decode_frame(encoded, JPEGLSLossless, PixelFormat(40, 48, 16, 16, 15, is_signed=False))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.110", "1.2.3", ""])
def test_video_jpeg_xl_and_unknown_encodings_are_refused_by_name(syntax: str) -> None:
    with pytest.raises(UnsupportedFileError, match="another encoding"):
        check_syntax(syntax)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_a_compressed_series_is_the_uncompressed_one(tmp_path: Path, syntax: str) -> None:
    series = Series(depths_mm=range(0, 48, 8))
    plain = read_image(series.write(tmp_path / "plain"), modality=Modality.CT)
    read = read_image(compressed(series, tmp_path / "compressed", syntax), modality=Modality.CT)
    assert np.array_equal(read.voxels, plain.voxels)
    assert np.array_equal(read.grid.affine, plain.grid.affine)


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless])
def test_gdcm_reads_the_same_voxels(tmp_path: Path, syntax: str) -> None:
    # A second opinion by another library on the same bytes, through pydicom's own gdcm plug-in.
    series = Series(depths_mm=range(0, 40, 8))
    paths = compressed(series, tmp_path / "compressed", syntax)
    ours = read_image(paths, modality=Modality.CT).voxels
    for k, path in enumerate(paths):
        dataset = pydicom.dcmread(path)
        dataset.pixel_array_options(decoding_plugin="gdcm" if syntax != RLELossless else "pydicom")
        assert np.array_equal(ours[:, :, k].T, dataset.pixel_array.astype(int) - 1024)
