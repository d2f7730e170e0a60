"""Valid uploads to mutate: small, and one of every kind the door reads."""

import gzip
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from app.imaging.volume import Modality
from tests.imaging.encodings import LOSSLESS, compressed, transcoded
from tests.imaging.enhanced import write_enhanced
from tests.imaging.making import Series, ramp


@dataclass(frozen=True)
class Seed:
    """One valid upload.

    Attributes:
        name: What it is.
        files: Its files.
        modality: What it is read as.
    """

    name: str
    files: tuple[bytes, ...]
    modality: Modality


def small_series(modality: Modality = Modality.CT) -> Series:
    """Six slices of 16 x 16 pixels, 16 mm wide."""
    return Series(
        field_at=lambda points: ramp(points) + (2000 if modality is Modality.MR else 0),
        depths_mm=range(0, 48, 8),
        rows=16,
        columns=16,
        pixel_mm=16.0,
        modality=modality,
    )


def seeds(folder: Path) -> list[Seed]:
    """Every kind, made in a folder."""
    return [*_dicom(folder), *_nifti(folder), *_zips(folder)]


def _bytes(paths: list[Path]) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in paths)


def _dicom(folder: Path) -> Iterator[Seed]:
    yield Seed("explicit", _bytes(small_series().write(folder / "explicit")), Modality.CT)
    yield Seed("mr", _bytes(small_series(Modality.MR).write(folder / "mr")), Modality.MR)
    for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        yield Seed(syntax.name, _bytes(transcoded(small_series(), folder / syntax, syntax)), Modality.CT)
    for encoding in LOSSLESS:
        yield Seed(encoding, _bytes(compressed(small_series(), folder / encoding, encoding)), Modality.CT)
    yield Seed("enhanced", _bytes([write_enhanced(small_series(), folder / "enhanced")]), Modality.CT)


def _nifti(folder: Path) -> Iterator[Seed]:
    values = np.round(np.random.default_rng(1).normal(0, 600, (14, 12, 10)))
    affine = np.diag([-8.0, 8.0, 12.0, 1.0])
    for kind, make in (("1", nib.Nifti1Image), ("2", nib.Nifti2Image)):
        for dtype, modality in (("<i2", Modality.CT), (">f4", Modality.CT), ("<u1", Modality.MR)):
            path = folder / f"nifti{kind}-{dtype[1:]}.nii"
            image: Any = make  # nibabel ships no types
            stored = np.abs(values) % 256 if modality is Modality.MR else values
            nib.save(image(stored.astype(dtype), affine), path)
            yield Seed(path.name, _bytes([path]), modality)
            yield Seed(f"{path.name}.gz", (gzip.compress(path.read_bytes(), 1, mtime=0),), modality)


def _zips(folder: Path) -> Iterator[Seed]:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = folder / f"{method}.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            for n, file in enumerate(small_series().write(folder / f"zip{method}")):
                archive.write(file, f"series/{n}.dcm")
        yield Seed(path.name, _bytes([path]), Modality.CT)
    nifti = folder / "nifti.zip"
    with zipfile.ZipFile(nifti, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "nifti1-u1.nii", "a.nii")
    yield Seed(nifti.name, _bytes([nifti]), Modality.MR)
