"""What the files of an upload are to each other."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.errors import RequestError
from app.imaging.files.sorted_files import sort_files
from app.imaging.files.source import DiskFile
from tests.imaging.making import Series
from tests.imaging.nifti_bytes import parts

NIFTI = b"".join(parts())
HEADER, VOXELS = parts(pair=True)
BARE = b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100".ljust(132, b"\0")
"""Begins as a dataset without preamble does, and so do some dark voxels."""


def files(folder: Path, *contents: bytes) -> list[DiskFile]:
    paths = [folder / str(number) for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return [DiskFile(path) for path in paths]


@pytest.fixture
def dicom(tmp_path: Path) -> bytes:
    return Series().write(tmp_path / "series")[0].read_bytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_one_nifti_is_found_among_other_files(tmp_path: Path, pack: type[bytes]) -> None:
    words, nifti = files(tmp_path, b"words", pack(NIFTI))
    found = sort_files([words, nifti])
    assert (found.nifti, found.is_pair, found.slices, found.others) == (nifti, False, [], [words])


def test_beside_the_header_of_a_pair_what_only_begins_like_a_dataset_may_be_its_voxels(
    tmp_path: Path,
) -> None:
    header, voxels, dark = files(tmp_path, HEADER, VOXELS, BARE)
    found = sort_files([dark, voxels, header])
    assert (found.nifti, found.is_pair, found.slices) == (header, True, [])
    assert found.others == [voxels, dark]


def test_dicom_files_with_and_without_preamble_are_slices(tmp_path: Path, dicom: bytes) -> None:
    sent = files(tmp_path, dicom, b"words", BARE)
    found = sort_files(sent)
    assert (found.nifti, found.is_pair, found.slices) == (None, False, [sent[0], sent[2]])


@pytest.mark.parametrize(
    ("contents", "code", "words"),
    [
        ((NIFTI, NIFTI), "mixed-series", "found 2 NIfTI and 0 DICOM"),
        ((NIFTI, HEADER), "mixed-series", "found 2 NIfTI and 0 DICOM"),
        ((NIFTI, BARE), "mixed-series", "found 1 NIfTI and 1 DICOM"),
        ((b"words", b""), "unsupported-file", "found: 2 other"),
        (
            (gzip.compress(b"\0\0\0\1 as FreeSurfer's .mgz"),),
            "unsupported-file",
            "1 other. Other formats .*: convert",
        ),
        ((), "unsupported-file", "found: nothing"),
        ((NIFTI, b"\x1f\x8bwords"), "corrupt-image", "A gzip file"),
        ((BARE, b"\x1f\x8bwords"), "corrupt-image", "A gzip file"),
        ((BARE, gzip.compress(BARE)), "unsupported-file", "1 DICOM in gzip. Unpack the DICOM files"),
        ((gzip.compress(BARE), b"words"), "unsupported-file", "1 DICOM in gzip, 1 other. Unpack"),
    ],
)
def test_what_cannot_be_one_image_is_refused(
    tmp_path: Path, contents: Sequence[bytes], code: str, words: str
) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        sort_files(files(tmp_path, *contents))
    assert caught.value.code == code
