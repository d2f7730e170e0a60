"""Files as they come: with and without preamble and meta, deflated, in every plain syntax, and bombs."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from app.errors import ArchiveTooLargeError, CorruptImageError, UnsupportedFileError
from app.imaging.dicom.file import parse
from app.imaging.files.source import DiskFile
from app.imaging.limits import ReadLimits
from app.imaging.read import read_image
from app.imaging.volume import Modality
from tests.imaging.encodings import transcoded
from tests.imaging.making import Series, ramp

PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@pytest.mark.parametrize("syntax", PLAIN)
def test_every_plain_syntax_gives_the_same_volume(tmp_path: Path, syntax: str) -> None:
    series = Series(field_at=ramp, depths_mm=range(0, 48, 8))
    expected = read_image(series.write(tmp_path / "expected"), modality=Modality.CT)
    read = read_image(transcoded(series, tmp_path / "other", syntax), modality=Modality.CT)
    assert np.array_equal(read.voxels, expected.voxels)
    assert np.array_equal(read.grid.affine, expected.grid.affine)


@pytest.mark.parametrize(("implicit", "little"), [(True, True), (False, True), (False, False)])
def test_files_without_preamble_and_meta_are_read_where_their_form_is_plain(
    tmp_path: Path, implicit: bool, little: bool
) -> None:
    series = Series(field_at=ramp, depths_mm=range(0, 48, 8))
    expected = read_image(series.write(tmp_path / "expected"), modality=Modality.CT)
    paths = []
    for n, dataset in enumerate(series.datasets()):
        if not little:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        bare = Dataset()
        bare.update(dict(dataset.items()))
        paths.append(tmp_path / f"bare{n}")
        dcmwrite(paths[-1], bare, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
        assert paths[-1].read_bytes()[128:132] != b"DICM"
    assert np.array_equal(read_image(paths, modality=Modality.CT).voxels, expected.voxels)


@pytest.mark.parametrize("cut", [132, 144])
@pytest.mark.parametrize("syntax", PLAIN)
def test_files_whose_meta_begins_them_are_read_unless_they_are_deflated(
    tmp_path: Path, syntax: str, cut: int
) -> None:
    series = Series(field_at=ramp, depths_mm=range(0, 48, 8))
    expected = read_image(series.write(tmp_path / "expected"), modality=Modality.CT)
    paths = transcoded(series, tmp_path / "other", syntax)
    for path in paths:  # without preamble, and without the length of the meta group
        path.write_bytes(path.read_bytes()[cut:])
    if syntax == DeflatedExplicitVRLittleEndian:
        with pytest.raises(UnsupportedFileError):
            read_image(paths, modality=Modality.CT)
    else:
        assert np.array_equal(read_image(paths, modality=Modality.CT).voxels, expected.voxels)


def test_only_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    path = Series().write(tmp_path)[0]
    dataset, place = parse(DiskFile(path), ("Rows", "Modality"))
    assert dataset == {"Rows": 64, "Modality": "CT"}
    assert place is not None
    whole = dcmread(path)
    assert path.read_bytes()[place.offset : place.offset + (place.length or 0)] == whole.PixelData


def test_a_file_without_pixels_has_no_place_for_them(tmp_path: Path) -> None:
    dataset = Series().datasets()[0]
    del dataset.PixelData
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    assert parse(DiskFile(tmp_path / "a"), ("Rows",))[1] is None


def deflated(folder: Path) -> Path:
    return transcoded(Series(depths_mm=(0.0,)), folder, DeflatedExplicitVRLittleEndian)[0]


def test_a_deflated_bomb_ends_at_the_limit(tmp_path: Path) -> None:
    path = deflated(tmp_path / "a")
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(bytes(64 << 20)) + packer.flush()
    path.write_bytes(data[:start] + body)
    with pytest.raises(ArchiveTooLargeError, match="inflates to at most"):
        parse(DiskFile(path), ("Rows",), ReadLimits(max_archive_bytes=1 << 20))


def test_a_truncated_deflated_file_is_named(tmp_path: Path) -> None:
    path = deflated(tmp_path / "a")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CorruptImageError, match="ends before"):
        parse(DiskFile(path), ("Rows",))


@pytest.mark.samples
@pytest.mark.parametrize("name", ["ExplVR_LitEndNoMeta.dcm", "ExplVR_BigEndNoMeta.dcm"])
def test_real_files_without_meta_are_parsed(samples: Path, name: str) -> None:
    dataset, _ = parse(DiskFile(samples / "hostile/dicom" / name), ("SOPClassUID", "Modality"))
    assert dataset["SOPClassUID"].startswith("1.2.840.10008.5.1.4.1.1.")
