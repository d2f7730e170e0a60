from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.imaging import resample
from app.imaging.read import read_image, read_mask
from app.imaging.resample import as_volume, heatmap_to_patient_grid, sample_on_grid
from app.imaging.volume import Grid, Modality
from app.imaging.write import voxels_on_grid, write_heatmap, write_image, write_nifti
from tests.imaging.making import Series

AFFINE = np.array([[-1.5, 0.2, 0, 40], [0.1, 1.4, 0.3, -50], [0, -0.2, 2.5, -20], [0, 0, 0, 1.0]])
GRID = Grid((9, 8, 7), AFFINE)
HEATMAP = np.random.default_rng(1).random((9, 8, 7), np.float32)


def test_a_heatmap_reads_back_within_half_a_level(tmp_path: Path) -> None:
    write_heatmap(HEATMAP, GRID, tmp_path / "h.nii.gz")
    image = nib.Nifti1Image.from_filename(tmp_path / "h.nii.gz")
    read = image.get_fdata()
    assert np.abs(read - HEATMAP).max() <= 1 / 510 + 1e-6
    assert read.max() <= 1
    assert image.get_data_dtype() == np.uint8
    assert np.allclose(image.affine, AFFINE, atol=1e-5)
    assert image.header.get_xyzt_units()[0] == "mm"


@pytest.mark.parametrize("voxels_at_once", [1, 150, 10**9])
def test_a_heatmap_in_parts_is_the_heatmap_on_the_patient_s_grid(
    tmp_path: Path, voxels_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resample, "AT_ONCE", voxels_at_once)
    shown_on = Grid(
        (11, 13, 6), AFFINE + np.array([[0, 0, 0, 0.7], [0, 0, 0, -1.1], [0, 0, 0, 0.4], [0] * 4])
    )
    write_heatmap(HEATMAP, GRID, tmp_path / "h.nii.gz", shown_on)
    image = nib.Nifti1Image.from_filename(tmp_path / "h.nii.gz")
    whole = heatmap_to_patient_grid(HEATMAP, GRID, shown_on)
    assert image.shape == shown_on.shape
    assert np.allclose(image.affine, shown_on.affine, atol=1e-5)
    assert 0.2 < (whole == 0).mean() < 0.8, "part of it lies outside"
    assert np.abs(image.get_fdata() - whole).max() <= 1 / 510 + 1e-4


def codes(path: Path) -> tuple[int, int]:
    header = nib.Nifti1Image.from_filename(path).header
    return int(header["sform_code"]), int(header["qform_code"])


def test_both_forms_are_written_where_both_can_say_where_it_is(tmp_path: Path) -> None:
    turn = Rotation.from_rotvec([0.2, -0.3, 0.1]).as_matrix() * [1.5, 1.4, 2.5]
    upright = Grid((9, 8, 7), np.vstack([np.column_stack([turn, [40, -50, -20]]), [0, 0, 0, 1]]))
    write_heatmap(HEATMAP, upright, tmp_path / "h.nii.gz")
    assert codes(tmp_path / "h.nii.gz") == (1, 1)
    image = nib.Nifti1Image.from_filename(tmp_path / "h.nii.gz")
    assert np.allclose(image.header.get_qform(), upright.affine, atol=1e-4)


def test_no_qform_is_written_for_a_shear_that_it_cannot_hold(tmp_path: Path) -> None:
    # A reader that prefers the qform would show the heatmap of a tilted stack centimetres beside its place.
    write_heatmap(HEATMAP, GRID, tmp_path / "h.nii.gz")
    assert codes(tmp_path / "h.nii.gz") == (1, 0)


def test_nothing_and_everything_are_exact(tmp_path: Path) -> None:
    extremes = np.zeros((9, 8, 7), np.float32)
    extremes[0] = 1
    write_heatmap(extremes, GRID, tmp_path / "h.nii.gz")
    assert np.allclose(nib.Nifti1Image.from_filename(tmp_path / "h.nii.gz").get_fdata(), extremes, atol=1e-6)


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_values_are_written_as_they_are(tmp_path: Path, dtype: str) -> None:
    values = (HEATMAP * 100).astype(dtype)
    write_nifti(values, GRID, tmp_path / "a.nii.gz")
    read = read_mask(tmp_path / "a.nii.gz")
    assert np.array_equal(read.voxels, values.astype(np.float32) if dtype == "f8" else values)
    assert np.allclose(read.grid.affine, AFFINE, atol=1e-5)


@pytest.mark.parametrize("writer", [write_heatmap, write_nifti])
def test_the_same_array_gives_the_same_bytes_under_any_name(tmp_path: Path, writer: object) -> None:
    assert callable(writer)
    for name in ("a.nii.gz", "b.nii.gz"):
        writer(HEATMAP, GRID, tmp_path / name)
    data = (tmp_path / "a.nii.gz").read_bytes()
    assert data == (tmp_path / "b.nii.gz").read_bytes()
    assert data[4:8] == b"\0\0\0\0"  # gzip's time


def test_a_regular_image_on_its_grid_is_the_image(tmp_path: Path) -> None:
    volume = read_image(Series().write(tmp_path), modality=Modality.CT)
    assert voxels_on_grid(volume) is volume.voxels


def test_a_corrected_image_on_its_grid_has_the_grid_s_shape(tmp_path: Path) -> None:
    volume = read_image(Series(tilt_degrees=18.5).write(tmp_path), modality=Modality.CT)
    assert voxels_on_grid(volume).shape == volume.grid.shape != volume.voxels.shape


@pytest.mark.parametrize(
    ("modality", "values", "kind"),
    [
        (Modality.CT, np.array([-1024, 0, 3071], np.int16), "i2"),
        (Modality.CT, np.array([-1024, 40.4, 3071], np.float32), "i2"),
        (Modality.CT, np.array([-1024, 40, 40000], np.float32), "f4"),
        (Modality.MR, np.array([0, 7, 255], np.uint8), "i2"),
        (Modality.MR, np.array([0, 7, 32767], np.uint16), "i2"),
        (Modality.MR, np.array([0, 7, 32768], np.uint16), "f4"),
        (Modality.MR, np.array([-32768, 0, 5], np.int32), "i2"),
        (Modality.MR, np.array([-32769, 0, 5], np.int32), "f4"),
        (Modality.MR, np.array([0, 0.25, 1], np.float64), "f4"),
    ],
)
def test_an_image_is_written_as_whole_numbers_where_they_hold_it(
    tmp_path: Path, modality: Modality, values: np.ndarray, kind: str
) -> None:
    voxels = np.resize(values, (9, 8, 7))
    volume = replace(as_volume(voxels, GRID), modality=modality)
    write_image(volume, tmp_path / "image.nii.gz")
    read = nib.Nifti1Image.from_filename(tmp_path / "image.nii.gz")
    assert read.get_data_dtype() == np.dtype(kind)
    assert np.abs(read.get_fdata() - voxels).max() <= (0.5 if kind == "i2" else 0)
    assert np.allclose(read.affine, AFFINE, atol=1e-5)


def test_slices_that_lie_elsewhere_than_the_grid_s_planes_are_brought_there_though_they_are_as_many() -> None:
    values = np.broadcast_to(np.array([0, 4, 12, 16], np.float32), (9, 8, 4))  # each slice its height in mm
    even = as_volume(values, Grid((9, 8, 4), np.diag([1.0, 1.0, 16 / 3, 1.0])))
    volume = replace(even, slice_origins=np.column_stack([np.zeros((4, 2)), [0, 4, 12, 16]]))
    assert voxels_on_grid(volume)[4, 4, 1:3] == pytest.approx(
        [16 / 3, 32 / 3], abs=0.05
    )  # the ends are smoothed
    assert voxels_on_grid(even) is values


def test_an_image_whose_grid_has_other_rows_than_its_slices_is_read_at_the_grid_s_places(
    tmp_path: Path,
) -> None:
    turned = AFFINE @ np.array(
        [[0, -1, 0, 7], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]
    )  # a quarter turn in plane
    values = np.random.default_rng(5).random((9, 8, 7), np.float32)
    volume = replace(as_volume(values, GRID), grid=Grid((8, 9, 7), turned))
    write_image(volume, tmp_path / "image.nii.gz")
    read = nib.Nifti1Image.from_filename(tmp_path / "image.nii.gz")
    assert np.allclose(read.affine, turned, atol=1e-5)
    # Index (a, b) of the grid is (7 - b, a) of the slices.
    expected = sample_on_grid(volume, volume.grid, 0.0)
    assert np.allclose(read.get_fdata(), expected, atol=1e-6)
    assert read.get_fdata()[1, 2, 3] == pytest.approx(values[5, 1, 3], abs=1e-5)


def test_the_image_of_a_tilted_series_lies_on_the_grid_of_its_heatmap(tmp_path: Path) -> None:
    volume = read_image(Series(tilt_degrees=18.5).write(tmp_path), modality=Modality.CT)
    write_image(volume, tmp_path / "image.nii.gz")
    write_heatmap(np.zeros(volume.grid.shape, np.float32), volume.grid, tmp_path / "heatmap.nii.gz")
    image, heatmap = (
        nib.Nifti1Image.from_filename(tmp_path / f"{name}.nii.gz") for name in ("image", "heatmap")
    )
    assert image.shape == heatmap.shape
    assert np.array_equal(image.affine, heatmap.affine)
    assert np.abs(image.get_fdata() - voxels_on_grid(volume)).max() < 0.51
