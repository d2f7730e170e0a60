"""app.imaging.synthetic: a phantom is known by its header in every form that its file may take, and a patient's image is none."""

import gzip
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom import dcmread

from app.imaging.dicom.write import SeriesIdentity, write_series
from app.imaging.synthetic import SYNTHETIC, is_synthetic
from app.imaging.volume import Grid, Modality, Volume
from app.imaging.write import write_nifti

GRID = Grid((4, 5, 3), np.eye(4))
VOXELS = np.zeros((4, 5, 3), np.int16)


@pytest.mark.parametrize(("description", "marked"), [(SYNTHETIC, True), ("", False), ("FSL6.0", False)])
def test_a_nifti_is_known_by_its_description(tmp_path: Path, description: str, marked: bool) -> None:
    packed = tmp_path / "a.nii.gz"
    write_nifti(VOXELS, GRID, packed, description=description)
    plain = tmp_path / "a.nii"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.write(plain, "image.nii")
    assert [is_synthetic(path) for path in (packed, plain, archive)] == [marked] * 3


def test_the_second_version_of_nifti_keeps_its_description_elsewhere(tmp_path: Path) -> None:
    image = nibabel.Nifti2Image(VOXELS, np.eye(4))
    image.header["descrip"] = SYNTHETIC.encode()
    image.to_filename(tmp_path / "a.nii")
    assert is_synthetic(tmp_path / "a.nii")


def test_a_dicom_file_is_known_by_its_method_of_deidentification(tmp_path: Path) -> None:
    step = np.eye(3)
    volume = Volume(VOXELS, step[0], step[1], np.arange(3)[:, None] * step[2], GRID, Modality.CT)
    file, *_ = write_series(
        volume, SeriesIdentity("X", "2.25.1", "2.25.2", "2.25.3", ["2.25.4"] * 3), tmp_path
    )
    assert is_synthetic(file)
    dataset = dcmread(file)
    dataset.DeidentificationMethod = ["names removed", "dates moved"]
    dataset.save_as(file)
    assert not is_synthetic(file)


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    for name, content in (("text", b"no image"), ("gzip", b"\x1f\x8b broken"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        assert not is_synthetic(tmp_path / name)
