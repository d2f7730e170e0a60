"""Which slices have pixels of a known meaning; all others are refused by name before one is decoded.

A CT value is HU, or it is nothing a model knows: electron densities, effective atomic numbers and material maps are CT
images, too. MONOCHROME1 only says that a display should invert: after the modality LUT a CT value is HU either way (PS3.3
C.7.6.3.1.2). An MR value has no unit to hold on to, so an inverted MR would look like a wrong contrast.
"""

from collections.abc import Sequence
from typing import Final

from pydicom.uid import ExplicitVRBigEndian

from app.errors import CorruptImageError, UnsupportedFileError
from app.imaging.dicom.decode import check_syntax
from app.imaging.dicom.header import SliceHeader
from app.imaging.volume import Modality

CELL_BITS: Final = frozenset({8, 16, 32})
"""Bits of a stored cell that images of slices have (PS3.5 8.1.1); 1 is for overlays and segmentations."""
WORD_BITS: Final = 16
"""What is swapped in big endian are words of 16 bits (OW, PS3.5 6.2): bytes change places, halves of 32 bits do not."""
HOUNSFIELD: Final = frozenset({"HU", "HU_MOD"})
"""Rescale Type and Modality LUT Type (PS3.3 C.11.1.1.2): HU, and HU of which a material was taken out."""
UNNAMED: Final = frozenset({"", "US"})
"""A CT need not name a rescale to HU (PS3.3 C.8.2.1), and many scanners call it unspecified, as they do maps: the values must tell (`quality`)."""


def check_supported(headers: Sequence[SliceHeader], modality: Modality) -> None:
    """Refuses slices that cannot be decoded, and those whose values would have another meaning than the modality's.

    Raises:
        CorruptImageError: Contradictory.
        UnsupportedFileError: Colours, inverted MR, CT in another unit than HU, an encoding that is not read here.
    """
    for header in headers:
        _check_cells(header)
        _check_meaning(header, modality)
    if any(map(is_scaled, headers)) and not all(header.is_rescaled for header in headers):
        raise CorruptImageError(
            "Expected a rescale in every slice or in none, found some without. Export the series again."
        )


def is_scaled(header: SliceHeader) -> bool:
    """Whether stored values are not what they mean."""
    return header.lookup_table is not None or (header.rescale_slope, header.rescale_intercept) != (1.0, 0.0)


def _check_cells(header: SliceHeader) -> None:
    bits = header.pixel_format.bits_allocated
    if header.pixels is None:
        raise CorruptImageError(
            "Expected whole numbers as pixels in every slice (Pixel Data), found a slice without. Send the complete files; images of Float Pixel Data "
            "are not read: export those in whole numbers."
        )
    if bits not in CELL_BITS:
        raise CorruptImageError(
            f"Expected 8, 16 or 32 bits per pixel, found {bits}. Export the series again."
        )
    if header.pixels.transfer_syntax == ExplicitVRBigEndian and bits != WORD_BITS:
        raise UnsupportedFileError(
            f"Expected {WORD_BITS} bits per pixel in big endian, found {bits}. Export the series in little endian."
        )
    check_syntax(header.pixels.transfer_syntax)
    form = header.pixel_format
    one = form.rows * form.columns * form.samples * bits // 8
    # A little behind the pixels is padding (PS3.5 8.1.1); as much as another image says that the header is wrong about rows, columns or bits.
    if header.pixels.length is not None and header.pixels.length >= (header.frames + 1) * one:
        raise CorruptImageError(
            f"Expected {header.frames} x {one} bytes of pixels by a file's header, found {header.pixels.length}. Export the series again."
        )


def _check_meaning(header: SliceHeader, modality: Modality) -> None:
    form = header.pixel_format
    if form.samples != 1 or form.photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise UnsupportedFileError("Expected grey-scale slices, found colours. Send the original images.")
    if form.photometric == "MONOCHROME1" and modality is Modality.MR:
        raise UnsupportedFileError(
            "Expected MONOCHROME2, found inverted MR (MONOCHROME1). Send the original images."
        )
    if not header.rescale_slope:
        raise CorruptImageError(
            "Expected a rescale slope other than 0, found a slice that it would blot out. Export the series again."
        )
    if modality is Modality.CT:
        _check_hu(header)


def _check_hu(header: SliceHeader) -> None:
    if not header.is_rescaled:
        raise UnsupportedFileError(
            "Expected a rescale to HU in every CT slice, found a slice without. Export the original images."
        )
    table = header.lookup_table
    if not (table.unit in HOUNSFIELD if table else header.rescale_type in HOUNSFIELD | UNNAMED):
        raise UnsupportedFileError(
            "Expected CT values in HU, found a rescale or modality LUT to another unit. Export the original images."
        )
