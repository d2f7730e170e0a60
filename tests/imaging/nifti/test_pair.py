"""Header and image as two files, whose names nobody knows."""

import gzip
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.analyze import AnalyzeHeader

from app.errors import CorruptImageError, MixedSeriesError, NeuroFuseError, UnsupportedFileError
from app.imaging.files.file_kind import FileKind, kind_of
from app.imaging.read import read_image
from app.imaging.volume import Modality, Volume
from tests.imaging.making import Series
from tests.imaging.nifti_bytes import AFFINE, VOXELS, parts, write_parts


def write(folder: Path, *contents: bytes) -> list[Path]:
    """Numbered files, as an upload is kept."""
    paths = [folder / f"{number:06d}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def read(paths: list[Path]) -> Volume:
    return read_image(paths, modality=Modality.MR)


@pytest.mark.parametrize("image_class", [nib.Nifti1Pair, nib.Nifti2Pair])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_pair_of_nibabel_reads_as_its_single_file(
    tmp_path: Path, image_class: type, suffix: str, reverse: bool
) -> None:
    image = image_class(VOXELS, AFFINE)
    image.set_sform(AFFINE, 1)
    nib.save(image, tmp_path / f"a.img{suffix}")
    paths = sorted(tmp_path.glob("a.*"), reverse=reverse)
    assert len(paths) == 2
    volume = read(paths)
    assert np.array_equal(volume.voxels, VOXELS)
    assert np.allclose(volume.grid.affine, AFFINE, atol=1e-5)
    assert volume.findings == ()


@pytest.mark.parametrize("packed", [(True, False), (False, True)])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
def test_either_part_may_be_packed(
    tmp_path: Path, packed: tuple[bool, bool], version: int, order: str
) -> None:
    contents = [
        gzip.compress(part) if pack else part
        for part, pack in zip(parts(version=version, order=order, pair=True), packed, strict=True)
    ]
    assert np.array_equal(read(write(tmp_path, *contents)).voxels, VOXELS)


def test_a_pair_in_a_zip_is_a_pair(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, content in zip(("head.hdr", "another.img"), parts(pair=True), strict=True):
            archive.writestr(name, content)
    assert np.array_equal(read([tmp_path / "a.zip"]).voxels, VOXELS)


def test_the_image_may_begin_with_an_offset_and_be_scaled(tmp_path: Path) -> None:
    header, image = parts(pair=True, fields={"vox_offset": 32, "scl_slope": 2, "scl_inter": 1})
    assert np.array_equal(read(write(tmp_path, header, b"\7" * 32 + image)).voxels, VOXELS * 2 + 1)


def test_small_files_beside_a_pair_are_counted_and_left_out(tmp_path: Path) -> None:
    volume = read(write(tmp_path, b"read me", *parts(pair=True), b"{}"))
    assert np.array_equal(volume.voxels, VOXELS)
    assert [finding.detail for finding in volume.findings] == [
        "2 of 4 files are no part of the image and were left out"
    ]


def test_an_image_too_short_for_its_header_is_not_its_image(tmp_path: Path) -> None:
    header, image = parts(pair=True)
    with pytest.raises(UnsupportedFileError, match="one file that holds its 1008 bytes, found 0"):
        read(write(tmp_path, header, image[:-1]))


def test_a_packed_image_too_short_for_its_header_is_damage(tmp_path: Path) -> None:
    header, image = parts(pair=True)
    with pytest.raises(CorruptImageError, match="found 1007"):
        read(write(tmp_path, header, gzip.compress(image[:-1])))


@pytest.mark.parametrize(
    ("contents", "error"),
    [
        ([parts(pair=True).header], UnsupportedFileError),
        ([parts(pair=True).image], UnsupportedFileError),
        ([*parts(pair=True), parts(pair=True).image], UnsupportedFileError),
        ([*parts(pair=True), *parts(pair=True)], MixedSeriesError),
        ([*parts(pair=True), b"".join(parts())], MixedSeriesError),
        ([parts(pair=True).header, b"".join(parts())], MixedSeriesError),
    ],
)
def test_what_is_ambiguous_is_refused(
    tmp_path: Path, contents: list[bytes], error: type[NeuroFuseError]
) -> None:
    with pytest.raises(error):
        read(write(tmp_path, *contents))


def test_a_pair_beside_a_series_is_refused(tmp_path: Path) -> None:
    slices = Series(rows=8, columns=8, depths_mm=range(6)).write(tmp_path / "series")
    with pytest.raises(MixedSeriesError):
        read([*slices, *write(tmp_path, *parts(pair=True))])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_analyze_is_refused_because_it_knows_no_left(tmp_path: Path, order: str, packed: bool) -> None:
    header = AnalyzeHeader(endianness=order)
    header.set_data_shape(VOXELS.shape)
    header.set_data_dtype(np.int16)
    block = gzip.compress(header.binaryblock) if packed else header.binaryblock
    with pytest.raises(UnsupportedFileError, match=r"Analyze 7\.5 does not say which side is left"):
        read(write(tmp_path, block, VOXELS.tobytes(order="F")))


def test_analyze_beside_a_nifti_is_left_out(tmp_path: Path) -> None:
    header = AnalyzeHeader()
    header.set_data_shape(VOXELS.shape)
    volume = read([write_parts(tmp_path / "a"), *write(tmp_path, header.binaryblock)])
    assert [finding.code for finding in volume.findings] == ["files-ignored"]


def test_dark_voxels_that_begin_like_a_dataset_are_still_the_image(tmp_path: Path) -> None:
    voxels = VOXELS.copy(order="F")
    voxels[:4, 0, 0] = 8, 5, 24, 0  # group 0008, element 0005, a length of 24
    assert kind_of(voxels.tobytes(order="F")) is FileKind.DICOM
    assert np.array_equal(read(write(tmp_path, *parts(voxels, pair=True))).voxels, voxels)


def test_no_name_leads_to_the_image(tmp_path: Path) -> None:
    header, image = parts(pair=True)
    (tmp_path / "a.hdr").write_bytes(header)
    (tmp_path / "a.img").write_bytes(image)
    with pytest.raises(UnsupportedFileError):
        read([tmp_path / "a.hdr"])
