"""The same series in every transfer syntax, encoded by other hands than the door's."""

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from app.imaging.dicom.decode import ENCAPSULATED_UNCOMPRESSED
from tests.imaging.making import Series, save

Image = np.ndarray
Encode = Callable[[Image], bytes | bytearray]


def rle(image: Image) -> bytes:
    """By pydicom's own encoder."""
    frames = get_encoder(RLELossless).iter_encode(
        image,
        rows=image.shape[0],
        columns=image.shape[1],
        samples_per_pixel=1,
        bits_allocated=image.dtype.itemsize * 8,
        bits_stored=image.dtype.itemsize * 8,
        number_of_frames=1,
        pixel_representation=int(image.dtype.kind == "i"),
        photometric_interpretation="MONOCHROME2",
    )
    return next(frames)


def as_bits(image: Image) -> Image:
    """JPEG knows no sign: a signed image travels as the pattern of its bits."""
    return image.view(f"u{image.dtype.itemsize}")


LOSSLESS: dict[str, Encode] = {
    ENCAPSULATED_UNCOMPRESSED: lambda image: image.tobytes(),
    RLELossless: rle,
    JPEGLossless: lambda image: imagecodecs.jpeg8_encode(as_bits(image), lossless=True, bitspersample=16),
    JPEGLosslessSV1: lambda image: imagecodecs.jpeg8_encode(
        as_bits(image), lossless=True, predictor=1, bitspersample=16
    ),
    JPEGLSLossless: lambda image: imagecodecs.jpegls_encode(as_bits(image)),
    JPEG2000Lossless: lambda image: imagecodecs.jpeg2k_encode(
        as_bits(image), codecformat="j2k", reversible=True
    ),
    HTJ2KLossless: lambda image: imagecodecs.htj2k_encode(as_bits(image), reversible=True),
    HTJ2KLosslessRPCL: lambda image: imagecodecs.htj2k_encode(as_bits(image), reversible=True),
}


def compressed(series: Series, folder: Path, syntax: str) -> list[Path]:
    """The series with every slice encoded and wrapped as fragments (PS3.5 A.4)."""
    folder.mkdir()
    paths = []
    for n, dataset in enumerate(series.datasets()):
        image = np.frombuffer(dataset.PixelData, "<u2").reshape(dataset.Rows, dataset.Columns)
        dataset.PixelData = encapsulate([bytes(LOSSLESS[syntax](image))])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        paths.append(save(dataset, folder / f"{n}"))
    return paths


def transcoded(series: Series, folder: Path, syntax: str) -> list[Path]:
    """The series in another plain syntax, by pydicom's own writer."""
    folder.mkdir()
    paths = []
    for n, dataset in enumerate(series.datasets()):
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        paths.append(folder / f"{n}")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths
