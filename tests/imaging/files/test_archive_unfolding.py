"""How much of an archive is unfolded, and what that takes: what is read, and little beside it."""

import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.errors import ArchiveTooLargeError, CorruptImageError
from app.imaging.read import read_image
from app.imaging.volume import Modality, Volume
from tests.imaging.files.test_archive import pack
from tests.imaging.making import Series, write_nifti_file

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    return Series().write(tmp_path / "series")


def test_what_is_no_image_is_never_unfolded_whole(tmp_path: Path, series: list[Path]) -> None:
    # Damage behind a member's beginning is met only by who goes there.
    noise = np.random.default_rng(1).bytes(1 << 20)
    path = pack(tmp_path / "a.zip", {path.name: path.read_bytes() for path in series} | {"film.avi": noise})
    data = bytearray(path.read_bytes())
    end = data.index(b"PK\x01\x02")
    data[end - 1000 : end - 960] = bytes(40)
    path.write_bytes(bytes(data))
    volume = read_image([path], modality=Modality.CT)
    assert np.array_equal(volume.voxels, read_image(series, modality=Modality.CT).voxels)
    assert [finding.code for finding in volume.findings] == ["files-ignored"]


def test_another_series_is_read_no_further_than_its_headers(tmp_path: Path) -> None:
    wanted, other = Series(), Series(rows=128, columns=128, depths_mm=range(0, 30, 5))
    plain = wanted.write(tmp_path / "wanted")
    files = {f"{n}": path.read_bytes() for n, path in enumerate(plain)}
    others = [path.read_bytes() for path in other.write(tmp_path / "other")]
    path = pack(tmp_path / "a.zip", files | {f"other{n}": data for n, data in enumerate(others)}, 0)
    archive = path.read_bytes()
    for data in others:
        archive = archive.replace(data, data[:-1000] + bytes(1000))
    path.write_bytes(archive)
    volume = read_image([path], modality=Modality.CT, series=wanted.series_uid)
    assert np.array_equal(volume.voxels, read_image(plain, modality=Modality.CT).voxels)
    with pytest.raises(CorruptImageError):
        read_image([path], modality=Modality.CT, series=other.series_uid)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_series_in_a_zip_takes_little_more_memory_than_its_voxels(tmp_path: Path, method: int) -> None:
    files = Series(rows=256, columns=256, depths_mm=range(0, 120, 3)).write(tmp_path / "series")
    path = pack(tmp_path / "a.zip", {file.name: file.read_bytes() for file in files}, method)
    volume, peak = peak_of_reading(path, Modality.CT)
    assert volume.voxels.nbytes == 40 * 256 * 256 * 2
    assert peak < 1.5 * volume.voxels.nbytes


def test_a_nifti_in_a_zip_takes_little_more_memory_than_its_voxels(tmp_path: Path) -> None:
    voxels = (np.arange(150**3) % 901).astype(np.int16).reshape(150, 150, 150)
    image = write_nifti_file(tmp_path / "a.nii", voxels, AFFINE)
    volume, peak = peak_of_reading(pack(tmp_path / "a.zip", {"a": image.read_bytes()}), Modality.MR)
    assert np.array_equal(volume.voxels, voxels)
    assert peak < 1.75 * voxels.nbytes  # half of it are truth values of the check against CT


def peak_of_reading(path: Path, modality: Modality) -> tuple[Volume, int]:
    """The volume, and the most memory that reading it held at once."""
    read_image([path], modality=modality)  # what is loaded once is there the second time
    tracemalloc.start()
    try:
        volume = read_image([path], modality=modality)
        return volume, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_member_that_declares_gigabytes_takes_no_memory_for_them(tmp_path: Path) -> None:
    image = write_nifti_file(tmp_path / "a.nii", np.zeros((9, 9, 9), np.int16), AFFINE).read_bytes()
    path = pack(tmp_path / "a.zip", {"a": image})
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", len(image)), struct.pack("<I", 3 << 30)))
    with pytest.raises(ArchiveTooLargeError):
        read_image([path], modality=Modality.MR)


def test_a_bomb_behind_the_voxels_of_a_member_is_not_unfolded(tmp_path: Path) -> None:
    voxels = np.arange(1000, dtype=np.int16).reshape(10, 10, 10)
    image = write_nifti_file(tmp_path / "a.nii", voxels, AFFINE).read_bytes()
    path = pack(tmp_path / "a.zip", {"a": image + bytes(16 << 20)})
    volume, peak = peak_of_reading(path, Modality.MR)
    assert np.array_equal(volume.voxels, voxels)
    assert peak < 4 << 20
