"""Series written from volumes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from app.imaging.dicom.write import SeriesIdentity, write_series
from app.imaging.read import read_image
from app.imaging.volume import Grid, Modality, Volume

IDENTITY = SeriesIdentity("SYNTHETIC", "2.25.1", "2.25.2", "2.25.3", [f"2.25.{100 + k}" for k in range(6)])


def _volume(modality: Modality) -> Volume:
    """Numbered voxels, so that each can be found again, on an oblique lattice."""
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    step_i, step_j, normal = 0.7 * turn[:, 0], 0.9 * turn[:, 1], np.cross(turn[:, 0], turn[:, 1])
    origins = np.array([3.0, -20.0, 55.0]) + 4.0 * np.arange(6)[:, None] * normal
    affine = np.eye(4)
    affine[:3] = np.column_stack([step_i, step_j, 4 * normal, origins[0]])
    voxels = np.arange(9 * 8 * 6).reshape(9, 8, 6).astype(np.int16) - (1000 if modality is Modality.CT else 0)
    return Volume(voxels, step_i, step_j, origins, Grid((9, 8, 6), affine), modality)


@pytest.mark.parametrize("modality", list(Modality))
def test_numbered_voxels_are_found_at_their_places(modality: Modality, tmp_path: Path) -> None:
    volume = _volume(modality)
    paths = write_series(volume, IDENTITY, tmp_path)
    again = read_image(paths, modality=modality)
    np.testing.assert_array_equal(again.voxels, volume.voxels)
    np.testing.assert_allclose(again.slice_origins, volume.slice_origins, atol=1e-6)
    np.testing.assert_allclose(again.grid.affine, volume.grid.affine, atol=1e-5)


@pytest.mark.parametrize("modality", list(Modality))
def test_files_are_part_10_and_carry_the_identity(modality: Modality, tmp_path: Path) -> None:
    paths = write_series(_volume(modality), IDENTITY, tmp_path)
    header = pydicom.dcmread(paths[2])
    assert header.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert header.file_meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID == "2.25.102"
    assert header.Modality == str(modality)
    assert header.PatientID == "SYNTHETIC"
    assert paths[2].read_bytes()[128:132] == b"DICM"


def test_the_tilt_of_the_gantry_is_named(tmp_path: Path) -> None:
    volume = _volume(Modality.CT)
    tilt = np.radians(18.5)
    tilted = replace(
        volume,
        step_i=np.array([-0.5, 0, 0]),
        step_j=0.5 * np.array([0, -np.cos(tilt), -np.sin(tilt)]),
        slice_origins=np.array([[0, 0, 5.0 * k] for k in range(6)]),
    )
    header = pydicom.dcmread(write_series(tilted, IDENTITY, tmp_path)[0])
    assert header.GantryDetectorTilt == pytest.approx(18.5, abs=1e-3)
    assert header.SliceThickness == pytest.approx(5 * np.cos(tilt), abs=1e-3)


@pytest.mark.parametrize(
    ("modality", "value"), [(Modality.CT, 4000), (Modality.CT, -1025), (Modality.MR, -1)]
)
def test_voxels_that_do_not_fit_are_refused(modality: Modality, value: int, tmp_path: Path) -> None:
    volume = _volume(modality)
    volume.voxels[0, 0, 0] = value
    with pytest.raises(ValueError, match="Clip them"):
        write_series(volume, IDENTITY, tmp_path)


def test_fractions_are_refused(tmp_path: Path) -> None:
    volume = _volume(Modality.MR)
    with pytest.raises(ValueError, match="Round them"):
        write_series(replace(volume, voxels=volume.voxels.astype(np.float32)), IDENTITY, tmp_path)
