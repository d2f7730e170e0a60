import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.analyze import AnalyzeHeader

from app.errors import CorruptImageError
from app.imaging.files.file_kind import HEAD_BYTES, FileKind, kind_inside, kind_of
from app.imaging.files.source import DiskFile


def nifti(image_class: Any, endianness: str) -> bytes:
    header = image_class.header_class(endianness=endianness)
    return bytes(image_class(np.zeros((2, 2, 2), np.int16), np.eye(4), header).to_bytes())


def empty_zip() -> bytes:
    stream = io.BytesIO()
    zipfile.ZipFile(stream, "w").close()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0" * 128 + b"DICM" + b"\0" * 500, FileKind.DICOM),
        (nifti(nib.Nifti1Image, "<"), FileKind.NIFTI),
        (nifti(nib.Nifti1Image, ">"), FileKind.NIFTI),
        (nifti(nib.Nifti2Image, "<"), FileKind.NIFTI),
        (nifti(nib.Nifti2Image, ">"), FileKind.NIFTI),
        (gzip.compress(b""), FileKind.GZIP),
        (empty_zip(), FileKind.ZIP),
        (b"PK\x03\x04 more", FileKind.ZIP),
        (b"", FileKind.OTHER),
        (b"\x1f", FileKind.OTHER),
        (b"\0" * 128 + b"DIC", FileKind.OTHER),
        (nifti(nib.Nifti1Image, "<")[:347], FileKind.OTHER),
    ],
)
def test_a_kind_is_known_by_its_first_bytes(data: bytes, kind: FileKind) -> None:
    assert kind_of(data[:HEAD_BYTES]) is kind


def test_a_header_that_points_to_another_file_is_its_own_kind() -> None:
    header = nib.Nifti1Pair(np.zeros((2, 2, 2), np.int16), np.eye(4)).header
    assert kind_of(header.binaryblock) is FileKind.NIFTI_PAIR


def test_analyze_is_a_kind_of_its_own_only_where_it_counts_axes() -> None:
    header = AnalyzeHeader(endianness=">")
    header.set_data_shape((4, 5, 6))
    assert kind_of(header.binaryblock) is FileKind.ANALYZE
    assert kind_of(header.binaryblock[:4] + b"\0" * 344) is FileKind.OTHER


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (nifti(nib.Nifti1Image, ">"), FileKind.NIFTI),
        (nib.Nifti1Pair(np.zeros((2, 2, 2), np.int16), np.eye(4)).header.binaryblock, FileKind.NIFTI_PAIR),
        (b"text", FileKind.OTHER),
        (b"", FileKind.OTHER),
        (b"\0" * 128 + b"DICM" + b"\0" * 500, FileKind.PACKED_DICOM),
        (gzip.compress(b"twice"), FileKind.GZIP),
        (empty_zip(), FileKind.GZIP),
    ],
)
def test_only_parts_of_a_nifti_are_read_through_gzip(tmp_path: Path, data: bytes, kind: FileKind) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(data))
    assert kind_inside(DiskFile(tmp_path / "a")) is kind


def test_a_gzip_that_cannot_be_unfolded_is_damage(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(b"text")[:12])
    with pytest.raises(CorruptImageError):
        kind_inside(DiskFile(tmp_path / "a"))
