"""Landmarks at known places of a head, through every way a scanner can lay its slices, to the model's grid and back.

Four balls of different brightness, none of them opposite another: whoever swaps or turns an axis finds the wrong one.
"""

from pathlib import Path
from typing import Final

import nibabel as nib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jaxtyping import Float64, Real
from scipy import ndimage
from scipy.spatial.transform import Rotation

from app.imaging.read import read_image
from app.imaging.resample import ModelImage, place_model_grid, to_model_grid
from app.imaging.volume import Modality, Volume
from app.imaging.write import write_heatmap
from tests.imaging.itk_oracle import itk_places
from tests.imaging.making import AXIAL, CT_GRID, ORIENTATIONS, Axes, Series, ball, stored_places

CENTRE: Final = (10.0, -20.0, 30.0)
LANDMARKS: Final = {
    60.0: (-25.0, -45.0, 60.0),
    120.0: (38.0, -60.0, 75.0),
    180.0: (20.0, 25.0, 40.0),
    240.0: (-15.0, 0.0, 85.0),
}
"""RAS mm by height above the brain in HU; fainter than bone, which has no place inside a head."""
BRIGHT_HU: Final = 55.0
TOUCHING: Final = np.ones((3, 3, 3))
"""At a corner too: of a ball in steep slices the outermost voxel may touch the others so."""
PEAK: Final = (12, 14, 31)
"""A voxel (d, h, w) of the model's grid."""
STACKS: Final = {
    "even": Series(depths_mm=tuple(11.0 * n for n in range(18))),
    "uneven": Series(depths_mm=tuple(np.cumsum([0.0, *[6.0] * 7, 1.5, *[12.0] * 12]))),
    "tilted": Series(depths_mm=tuple(11.0 * n for n in range(18)), tilt_degrees=18.5),
}
FORMS: Final = [
    (stack, form) for stack in STACKS for form in ("dicom", "nifti") if (stack, form) != ("uneven", "nifti")
]


def head(points: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n"]:
    """Brain in air, no skull, 75 x 95 x 85 mm, and the landmarks."""
    inside = np.square((points - np.array(CENTRE)) / np.array([75.0, 95.0, 85.0])).sum(axis=-1) < 1
    bright = sum(hu * ball(place, 9.0)(points) for hu, place in LANDMARKS.items())
    return np.asarray(np.where(inside, 35.0, -1000.0) + bright)


def read(folder: Path, stack: str, form: str, axes: Axes, tilt_degrees: float = 0.0) -> Volume:
    """Writes the head in one way and reads it back."""
    plain = STACKS[stack]
    tilt = plain.tilt_degrees + tilt_degrees
    series = Series(head, plain.depths_mm, tilt, 36, 36, 5.5, axes=axes).centred(CENTRE)
    files = series.write(folder) if form == "dicom" else [series.write_nifti(folder / "head.nii")]
    return read_image(files, modality=Modality.CT)


def landmarks_on(image: ModelImage) -> Float64[np.ndarray, "n 3"]:
    """RAS mm of the bright bodies' centres, the faintest first."""
    bright = np.clip(image.array - BRIGHT_HU, 0, None)
    bodies, count = ndimage.label(bright, TOUCHING)
    masses = ndimage.sum_labels(bright, bodies, range(1, count + 1))
    index = np.array(ndimage.center_of_mass(bright, bodies, 1 + np.argsort(masses)))
    return np.asarray(index @ image.grid.affine[:3, :3].T + image.grid.affine[:3, 3])


def landmark_errors(volume: Volume) -> Float64[np.ndarray, "n 3"]:
    """Voxels (d, h, w) of the model's grid between each landmark and the truth."""
    image = to_model_grid(volume, CT_GRID)
    apart_mm = landmarks_on(image) - np.array(list(LANDMARKS.values()))
    return np.asarray(apart_mm @ np.linalg.inv(image.grid.affine[:3, :3]).T)


def peak_error(volume: Volume, folder: Path) -> Float64[np.ndarray, "3"]:
    """Voxels of the heatmap's file between the peak in it, as nibabel reads it, and the model's voxel."""
    model = place_model_grid(volume, CT_GRID)
    heatmap = np.zeros(model.shape, np.float32)
    heatmap[PEAK] = 1.0
    write_heatmap(heatmap, model, folder / "heatmap.nii.gz", volume.grid)
    image = nib.Nifti1Image.from_filename(folder / "heatmap.nii.gz")
    values = image.get_fdata()
    found = np.unravel_index(int(values.argmax()), values.shape)
    truth = np.linalg.inv(image.affine) @ model.affine @ [*PEAK, 1.0]
    return np.asarray(found - truth[:3])


def name(axes: Axes) -> str:
    """Where rows, columns and slices run to, such as LPS."""
    return "".join(nib.aff2axcodes(nib.affines.from_matvec(np.transpose(axes))))


@pytest.fixture(scope="module", params=FORMS, ids="-".join)
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    stack, form = request.param
    return stack, form


@pytest.fixture(scope="module", params=ORIENTATIONS, ids=name)
def volume(
    request: pytest.FixtureRequest, way: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Volume:
    return read(tmp_path_factory.mktemp("head"), *way, request.param)


def test_every_landmark_lies_within_half_a_voxel_of_the_truth(volume: Volume) -> None:
    assert np.abs(landmark_errors(volume)).max() < 0.5


def test_a_heatmap_s_peak_comes_back_within_one_voxel_of_the_patient(volume: Volume, tmp_path: Path) -> None:
    assert np.abs(peak_error(volume, tmp_path)).max() <= 1.0


@pytest.mark.parametrize("stack", STACKS)
def test_simpleitk_finds_the_landmarks_where_the_volume_has_them(tmp_path: Path, stack: str) -> None:
    axes = np.array(AXIAL) @ Rotation.from_euler("xyz", (20, -35, 50), degrees=True).as_matrix().T
    volume = read(tmp_path, stack, "dicom", axes.tolist())
    slices = [itk_places(path) for path in tmp_path.iterdir()]
    theirs = middle_and_spread(*(np.concatenate(parts) for parts in zip(*slices, strict=True)))
    ours = middle_and_spread(stored_places(volume).reshape(-1, 3), volume.voxels.ravel())
    assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def middle_and_spread(
    points: Float64[np.ndarray, "n 3"], values: Real[np.ndarray, " n"]
) -> Float64[np.ndarray, "4 3"]:
    """Where the bright voxels lie, and how they are spread (mm, mm2)."""
    weights = np.clip(values.astype(np.float64) - BRIGHT_HU, 0, None)
    middle = np.average(points, axis=0, weights=weights)
    return np.vstack([middle, np.cov(points.T, aweights=weights)])


@settings(deadline=None, max_examples=10)
@example((170.0, 15.0, 178.0), 6.0, ("tilted", "dicom"))
@given(st.tuples(*[st.floats(-180, 180)] * 3), st.floats(-15, 15), st.sampled_from(FORMS))
def test_no_angle_and_no_tilt_moves_a_landmark_or_a_peak(
    tmp_path_factory: pytest.TempPathFactory,
    degrees: tuple[float, float, float],
    tilt: float,
    way: tuple[str, str],
) -> None:
    axes = np.array(AXIAL) @ Rotation.from_euler("xyz", degrees, degrees=True).as_matrix().T
    folder = tmp_path_factory.mktemp("oblique")
    volume = read(folder, *way, axes.tolist(), tilt)
    assert np.abs(landmark_errors(volume)).max() < 0.5
    assert np.abs(peak_error(volume, folder)).max() <= 1.0
