"""Encoded bytes of one frame to its stored values, for every transfer syntax a hospital sends.

The codecs are imagecodecs': CharLS, OpenJPEG, libjpeg-turbo. All of them run without the interpreter's lock, so slices are
decoded side by side (`dicom.pixels`). HTJ2K goes to OpenJPEG as well: OpenJPH is twice as fast, but by imagecodecs (2026.3) it
wraps saturated pixels of lossy images round and swallows the errors of damaged ones.

A codec gives samples as it likes (signed or not, wider or not). What counts is what the header says: the lowest
`bits_stored` bits after `shift`, two's complement where Pixel Representation is 1 (PS3.5 8.1). So each answer is taken
as a pattern of bits; overlay bits above the value (retired, PS3.5 8.1.2) fall away with it.
"""

from collections.abc import Callable, Mapping
from typing import Final

import imagecodecs
import numpy as np
from jaxtyping import Integer, Shaped
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from app.errors import CorruptImageError, UnsupportedFileError
from app.imaging.dicom.header import PixelFormat
from app.imaging.files.source import Buffer

Stored = Integer[np.ndarray, "rows columns"]
Cells = Shaped[np.ndarray, "..."]
"""As a codec gives them: of any type and shape, which is checked afterwards."""

ENCAPSULATED_UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"
"""Explicit VR Little Endian with frames as fragments (PS3.5 A.4.11); pydicom has no name for it yet."""
NATIVE: Final = frozenset(
    {
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        ENCAPSULATED_UNCOMPRESSED,
    }
)
"""Syntaxes whose frames are plain cells."""
END_OF_IMAGE: Final = b"\xff\xd9"
END_BYTES: Final = 16
"""The marker, and padding after it (PS3.5 A.4)."""


def _rle(data: bytes, form: PixelFormat) -> Cells:
    cells = imagecodecs.dicomrle_decode(data, np.dtype(f"<u{form.bits_allocated // 8}"))
    return np.frombuffer(cells, f"<u{form.bits_allocated // 8}").reshape(form.rows, form.columns)


def _jpeg(data: bytes, _form: PixelFormat) -> Cells:
    """libjpeg-turbo fills what a truncated image lacks with grey and says nothing; the end marker tells."""
    if END_OF_IMAGE not in data[-END_BYTES:]:
        raise CorruptImageError("A JPEG slice ends before its image does. Send the complete files.")
    return imagecodecs.jpeg8_decode(data)


def _codec(decode: Callable[[bytes], Cells]) -> Callable[[bytes, PixelFormat], Cells]:
    return lambda data, _form: decode(data)


CODECS: Final[Mapping[str, Callable[[bytes, PixelFormat], Cells]]] = {
    RLELossless: _rle,
    JPEGBaseline8Bit: _jpeg,
    JPEGExtended12Bit: _jpeg,
    JPEGLossless: _jpeg,
    JPEGLosslessSV1: _jpeg,
    JPEGLSLossless: _codec(imagecodecs.jpegls_decode),
    JPEGLSNearLossless: _codec(imagecodecs.jpegls_decode),
    JPEG2000Lossless: _codec(imagecodecs.jpeg2k_decode),
    JPEG2000: _codec(imagecodecs.jpeg2k_decode),
    HTJ2KLossless: _codec(imagecodecs.jpeg2k_decode),
    HTJ2KLosslessRPCL: _codec(imagecodecs.jpeg2k_decode),
    HTJ2K: _codec(imagecodecs.jpeg2k_decode),
}
"""By transfer syntax UID (PS3.6 A-1)."""


def check_syntax(syntax: str) -> None:
    """Refuses an encoding that is not read here, by its public name.

    Raises:
        UnsupportedFileError: Video, JPIP, JPEG XL and whatever else no head image is sent in.
    """
    if syntax not in NATIVE and syntax not in CODECS:
        raise UnsupportedFileError(
            "Expected pixels uncompressed or as RLE, JPEG, JPEG-LS, JPEG 2000 or HTJ2K, found another encoding. "
            "Export the series uncompressed."
        )


def decode_frame(data: Buffer, syntax: str, form: PixelFormat) -> Stored:
    """Decodes one frame.

    Args:
        data: Its bytes: cells, or one compressed image.
        syntax: Transfer syntax UID that `check_syntax` let pass.
        form: Layout from the header.

    Returns:
        Stored values before the modality LUT.

    Raises:
        CorruptImageError: Another number of pixels than the header says.
        Exception: What a codec raises; callers wrap it in `decoding`.
    """
    cells = (
        native_cells(data, syntax, form)
        if syntax in NATIVE
        else np.asarray(CODECS[syntax](bytes(data), form))
    )
    if cells.shape != (form.rows, form.columns):
        raise CorruptImageError(
            "A DICOM slice decodes to another size than its header says. Export the series again."
        )
    return stored_values(cells, form)


def native_cells(data: Buffer, syntax: str, form: PixelFormat) -> Cells:
    """Uncompressed cells as an array on the bytes themselves; what follows the pixels is padding (PS3.5 8.1.1)."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    cells = np.frombuffer(data, f"{order}u{form.bits_allocated // 8}", form.rows * form.columns)
    return cells.reshape(form.rows, form.columns)


def stored_values(cells: Cells, form: PixelFormat) -> Stored:
    """Cells to values: shifted, stripped of foreign bits, with their sign."""
    if cells.dtype.kind not in "iu":
        raise CorruptImageError("A DICOM slice holds no whole numbers. Export the series again.")
    size = max(cells.dtype.itemsize, form.bits_allocated // 8)
    kind, signed, width = np.dtype(f"u{size}"), np.dtype(f"i{size}"), 8 * size
    if form.bits_stored < 1 or form.shift < 0 or form.bits_stored + form.shift > width:
        raise CorruptImageError("A DICOM slice contradicts its own bit depth. Export the series again.")
    bits = np.asarray(cells.astype(f"{cells.dtype.kind}{size}", copy=False).view(kind))
    if form.shift:
        bits = bits >> kind.type(form.shift)
    if form.bits_stored < width:
        bits = bits & kind.type((1 << form.bits_stored) - 1)
        if form.is_signed:  # (b ^ s) - s extends the sign of a value of any width
            sign = kind.type(1 << (form.bits_stored - 1))
            bits = (bits ^ sign) - sign
    return bits.view(signed) if form.is_signed else bits
