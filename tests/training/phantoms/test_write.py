"""Phantoms as DICOM series, read back through the door."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float64

from app.imaging.read import read_image
from app.imaging.volume import Grid, Modality
from training.phantoms.head_ct import head_ct
from training.phantoms.scanner import draw_acquisition
from training.phantoms.write import NIFTI_ORDERS, in_axis_order, write_dicom

LPS_TILTED = np.array([[-0.5, 0, 0, 60], [0, -0.5, 1.2, 70], [0, 0.1, 4, -40], [0, 0, 0, 1.0]])
"""As a head CT with a tilted gantry is stored: to Left, to Posterior, and upwards with a shear."""


@pytest.mark.parametrize("uneven", [False, True])
def test_the_reader_finds_the_phantom_as_it_was(uneven: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    volume = head_ct(None, 60.0, draw_acquisition(rng, uneven=uneven), rng).volume
    paths = write_dicom(volume, tmp_path / "series", rng)
    again = read_image(paths[::-1], modality=Modality.CT)
    np.testing.assert_array_equal(again.voxels, volume.voxels)
    np.testing.assert_allclose(again.slice_origins, volume.slice_origins, atol=1e-5)
    np.testing.assert_allclose([again.step_i, again.step_j], [volume.step_i, volume.step_j], atol=1e-7)
    if uneven:
        assert again.grid.shape == volume.grid.shape
        np.testing.assert_allclose(again.grid.affine, volume.grid.affine, atol=1e-4)


def test_identifiers_are_seeded_unique_and_valid(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    volume = head_ct(None, 60.0, draw_acquisition(rng), rng).volume
    sets = []
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        paths = write_dicom(volume, tmp_path / folder, np.random.default_rng(seed))
        sets.append([path.read_bytes() for path in paths])
    assert sets[0] == sets[1]
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted((tmp_path / "c").iterdir())]
    uids = [header.SOPInstanceUID for header in headers]
    assert len(set(uids)) == len(uids)
    assert all(uid.is_valid and uid.startswith("2.25.") for uid in uids)
    assert len({header.SeriesInstanceUID for header in headers}) == 1
    assert sets[2] != sets[0]


@given(
    codes=st.sampled_from(NIFTI_ORDERS),
    index=st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 4)),
)
def test_every_voxel_stays_at_its_place_in_every_axis_order(codes: str, index: tuple[int, int, int]) -> None:
    # Every voxel has a number of its own; after reordering it must be found where the patient had it before.
    numbers = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    moved, grid = in_axis_order(numbers, Grid((3, 4, 5), LPS_TILTED), codes)
    found = np.argwhere(moved == numbers[index])[0]
    np.testing.assert_allclose(_place(grid.affine, found), _place(LPS_TILTED, np.array(index)), atol=1e-9)


@pytest.mark.parametrize("codes", NIFTI_ORDERS)
def test_the_axes_run_where_the_codes_say(codes: str) -> None:
    _, grid = in_axis_order(np.zeros((3, 4, 5), np.int16), Grid((3, 4, 5), LPS_TILTED), codes)
    for code, step in zip(codes, grid.affine[:3, :3].T, strict=True):
        axis = "RAS".find(code)
        assert step[axis] > 0 if axis >= 0 else step["LPI".find(code)] < 0


def _place(affine: Float64[np.ndarray, "4 4"], index: np.ndarray) -> np.ndarray:
    return np.asarray((affine @ [*index, 1.0])[:3])
