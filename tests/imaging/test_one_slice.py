"""app.imaging.one_slice: one slice, however it is stored, comes to lie the same way round, and what is no axial slice is refused.

The slice is an oval head of 40 HU in air, 140 mm wide and 180 mm deep, with a spot of 80 HU in front on the patient's right.
"""

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import IrregularGeometryError, NoUsableSeriesError, WrongModalityError
from app.imaging.model_grid import ModelGrid
from app.imaging.one_slice import read_slice, slice_on_model_grid
from app.imaging.volume import Grid, Modality, Volume
from app.imaging.write import write_nifti
from training.phantoms.write import write_dicom

GRID = ModelGrid(
    modality=Modality.CT, shape=(3, 88, 72), spacing_mm=(20.0, 2.5, 2.5), orientation="RAS", crop="head-top",
    channels=1, intensity_unit="HU", fill=-1024.0,
)  # fmt: skip
SPACING_MM = 1.25
SHAPE = (180, 200)


def drawn(middle_mm: tuple[float, float] = (7.0, -12.0), slices: int = 1) -> Volume:
    """Columns run to the patient's left and rows backwards, as in most DICOM files; the head's middle is at R, A of RAS."""
    step_i, step_j = np.array([-SPACING_MM, 0, 0]), np.array([0, -SPACING_MM, 0])
    origin = np.array([SPACING_MM * SHAPE[0] / 2, SPACING_MM * SHAPE[1] / 2, 30.0])
    i, j = np.meshgrid(np.arange(SHAPE[0]), np.arange(SHAPE[1]), indexing="ij")
    right = origin[0] - SPACING_MM * i - middle_mm[0]
    anterior = origin[1] - SPACING_MM * j - middle_mm[1]
    plane = np.where((right / 70) ** 2 + (anterior / 90) ** 2 < 1, 40, -1000).astype(np.int16)
    plane[(right - 30) ** 2 + (anterior - 40) ** 2 < 10**2] = 80
    voxels = np.repeat(plane[:, :, None], slices, axis=2)
    origins = origin + np.arange(slices)[:, None] * np.array([0, 0, 5.0])
    affine = np.eye(4)
    affine[:3] = np.stack([step_i, step_j, [0, 0, 5.0], origin], axis=1)
    return Volume(voxels, step_i, step_j, origins, Grid((*SHAPE, slices), affine), Modality.CT)


def as_nifti(volume: Volume, path: Path) -> Path:
    write_nifti(volume.voxels, volume.grid, path)
    return path


def on_grid(path: Path) -> np.ndarray:
    return slice_on_model_grid(read_slice(path, modality=Modality.CT), GRID)


def test_the_head_lies_in_the_middle_with_its_front_last_and_its_right_last(tmp_path: Path) -> None:
    """[H, W] runs to Anterior and to Right: the spot, 40 mm in front and 30 mm to the right, is 16 and 12 pixels past the middle."""
    plane = on_grid(as_nifti(drawn(), tmp_path / "a.nii.gz"))
    rows, columns = np.nonzero(plane > 60)
    assert rows.mean() == pytest.approx((88 - 1) / 2 + 16, abs=0.5)
    assert columns.mean() == pytest.approx((72 - 1) / 2 + 12, abs=0.5)
    assert plane[0, 0] == pytest.approx(-1000, abs=30)


def test_a_dicom_file_and_a_nifti_file_of_one_slice_are_read_alike(tmp_path: Path) -> None:
    file = write_dicom(drawn(slices=3), tmp_path / "dicom", np.random.default_rng(0))[0]
    nifti = on_grid(as_nifti(drawn(), tmp_path / "a.nii.gz"))
    assert np.abs(on_grid(file) - nifti).max() < 1e-2


@settings(max_examples=8, deadline=None)
@given(order=st.permutations([0, 1, 2]), flips=st.tuples(*[st.booleans()] * 3))
def test_the_order_and_direction_of_the_axes_in_the_file_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], flips: tuple[bool, bool, bool]
) -> None:
    volume, folder = drawn(), tmp_path_factory.mktemp("stored")
    affine = volume.grid.affine.copy()
    voxels = volume.voxels
    for axis, flip in enumerate(flips):
        if flip:
            voxels = np.flip(voxels, axis)
            affine[:, 3] += (voxels.shape[axis] - 1) * affine[:, axis]
            affine[:, axis] *= -1
    voxels = voxels.transpose(order)
    stored = Grid((voxels.shape[0], voxels.shape[1], voxels.shape[2]), affine[:, [*order, 3]])
    write_nifti(np.ascontiguousarray(voxels), stored, folder / "b.nii.gz")
    expected = on_grid(as_nifti(volume, folder / "a.nii.gz"))
    assert np.abs(on_grid(folder / "b.nii.gz") - expected).max() < 1e-2


@settings(max_examples=8, deadline=None)
@given(st.tuples(st.floats(-20, 20), st.floats(-15, 15)))
def test_where_the_patient_lay_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, middle_mm: tuple[float, float]
) -> None:
    folder = tmp_path_factory.mktemp("lay")
    one = on_grid(as_nifti(drawn(middle_mm), folder / "a.nii.gz"))
    other = on_grid(as_nifti(drawn((0, 0)), folder / "b.nii.gz"))
    # A place between two pixels moves edges by a fraction of one: all but the rims agree.
    assert np.mean(np.abs(one - other) < 15) > 0.93


def test_several_slices_in_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoUsableSeriesError, match="Expected one slice, found 3"):
        read_slice(as_nifti(drawn(slices=3), tmp_path / "a.nii.gz"), modality=Modality.CT)


@pytest.mark.parametrize("files", [0, 2])
def test_an_archive_of_none_or_several_files_is_no_slice(tmp_path: Path, files: int) -> None:
    slices = write_dicom(drawn(slices=2), tmp_path / "dicom", np.random.default_rng(0))
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in slices[:files]:
            archive.write(file, file.name)
    with pytest.raises(NoUsableSeriesError, match=f"found an archive of {files} files"):
        read_slice(tmp_path / "a.zip", modality=Modality.CT)


def test_a_coronal_slice_is_refused(tmp_path: Path) -> None:
    volume = drawn()
    turned = volume.grid.affine.copy()
    turned[:3] = turned[[0, 2, 1]]
    write_nifti(volume.voxels, Grid(volume.grid.shape, turned), tmp_path / "a.nii.gz")
    with pytest.raises(IrregularGeometryError, match="axial"):
        on_grid(tmp_path / "a.nii.gz")


def test_a_slice_of_another_modality_is_refused(tmp_path: Path) -> None:
    file = write_dicom(drawn(slices=3), tmp_path / "dicom", np.random.default_rng(0))[0]
    with pytest.raises(WrongModalityError, match="Expected MR"):
        read_slice(file, modality=Modality.MR)


def test_a_slice_whose_values_are_not_hu_is_refused_whatever_its_file_says(tmp_path: Path) -> None:
    file = write_dicom(drawn(slices=3), tmp_path / "dicom", np.random.default_rng(0))[0]
    dataset = pydicom.dcmread(file)
    dataset.RescaleIntercept = 0
    dataset.save_as(file)
    with pytest.raises(WrongModalityError, match="Hounsfield"):
        read_slice(file, modality=Modality.CT)


def test_a_slice_whose_only_air_lies_outside_the_circle_that_was_measured_is_not_in_hu(
    tmp_path: Path,
) -> None:
    lost = drawn()
    i, j, _ = np.ogrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j, 0:1]
    lost.voxels[:] = np.where(i * i + j * j > 1, -2000, lost.voxels + 1024)
    with pytest.raises(WrongModalityError, match="Hounsfield"):
        read_slice(as_nifti(lost, tmp_path / "a.nii.gz"), modality=Modality.CT)
