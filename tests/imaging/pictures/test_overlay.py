"""The picture: sides, scale and colours, read from the pixels."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.imaging.pictures.overlay import _inside, write_overlay_png
from app.imaging.pictures.planes import axial_planes, box_mm, three_planes
from app.imaging.resample import as_volume, heatmap_to_patient_grid
from app.imaging.volume import Grid, Modality, Volume
from tests.imaging.making import ball, places

AFFINE = np.diag([2.0, 2.0, 4.0, 1.0])
AFFINE[:3, 3] = [-80, -100, -60]
GRID = Grid((81, 101, 31), AFFINE)


def volume_of(modality: Modality, value: float) -> Volume:
    plain = as_volume(np.full(GRID.shape, value, np.float32), GRID)
    return Volume(plain.voxels, plain.step_i, plain.step_j, plain.slice_origins, GRID, modality)


def colourful(picture: np.ndarray) -> np.ndarray:
    """Where red and blue part: only the heatmap is coloured so."""
    return np.asarray(picture[..., 0].astype(int) - picture[..., 2] > 60)


def test_planes_are_in_radiological_convention() -> None:
    axial, coronal, sagittal = three_planes(GRID, np.zeros(3), 200)
    right, front, top = np.array([50.0, 0, 0]), np.array([0, 50.0, 0]), np.array([0, 0, 50.0])
    assert axial.pixel(right)[1] < axial.pixel(-right)[1]
    assert axial.pixel(front)[0] < axial.pixel(-front)[0]
    assert coronal.pixel(right)[1] < coronal.pixel(-right)[1]
    assert coronal.pixel(top)[0] < coronal.pixel(-top)[0]
    assert sagittal.pixel(front)[1] < sagittal.pixel(-front)[1]
    assert sagittal.pixel(top)[0] < sagittal.pixel(-top)[0]
    assert [plane.edges for plane in (axial, coronal, sagittal)] == ["RLAP", "RLSI", "APSI"]


def test_all_planes_share_one_scale() -> None:
    planes = three_planes(GRID, np.array([1.0, 2.0, 3.0]), 201)
    assert {round(size, 9) for plane in planes for size in plane.grid.spacing_mm} == {1.0}
    assert [plane.grid.shape[:2] for plane in planes] == [(201, 161), (121, 161), (121, 201)]
    assert [plane.across_mm for plane in planes] == [3.0, 2.0, 1.0]


def test_pixels_are_as_wide_as_high_and_read_as_thick_at_any_scale() -> None:
    planes = three_planes(GRID, np.zeros(3), 101)  # the longest side, 200 mm, has 101 pixels
    assert [plane.grid.spacing_mm for plane in planes] == [pytest.approx((2.0, 2.0, 2.0))] * 3
    assert planes[0].grid.shape[:2] == (101, 81)


def test_axial_planes_lie_whole_pixels_apart_in_the_middles_of_equal_parts() -> None:
    planes = axial_planes(box_mm(GRID), 101, 4)  # 120 mm high: parts of 30 mm, pixels of 2
    assert [plane.across_mm for plane in planes] == pytest.approx([-60 + 16, -60 + 44, -60 + 76, -60 + 104])
    assert [plane.grid.shape for plane in planes] == [(101, 81, 1)] * 4
    assert {plane.title for plane in planes} == {"Axial"}


def test_heat_on_the_patient_s_right_is_on_the_picture_s_left(tmp_path: Path) -> None:
    for side in (50.0, -50.0):
        heatmap = ball((side, 40.0, 20.0), 6.0)(places(GRID)).astype(np.float32)
        write_overlay_png(volume_of(Modality.CT, 40.0), heatmap, GRID, tmp_path / "a.png")
        picture = np.asarray(Image.open(tmp_path / "a.png"))
        axial = picture[:, 28 : 28 + 380]
        rows, columns = np.nonzero(colourful(axial))
        assert (columns.mean() < 190) == (side > 0)
        assert rows.mean() < picture.shape[0] / 2  # anterior is up


def test_an_empty_heatmap_leaves_the_image_grey(tmp_path: Path) -> None:
    write_overlay_png(volume_of(Modality.MR, 7.0), np.zeros(GRID.shape, np.float32), GRID, tmp_path / "a.png")
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    assert not colourful(picture[:, :1100]).any()


@pytest.mark.parametrize(("hu", "grey"), [(0.0, 0), (40.0, 128), (80.0, 255), (1000.0, 255)])
def test_ct_is_shown_in_the_brain_window(tmp_path: Path, hu: float, grey: int) -> None:
    write_overlay_png(volume_of(Modality.CT, hu), np.zeros(GRID.shape, np.float32), GRID, tmp_path / "a.png")
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    assert np.abs(picture[150, 150].astype(int) - grey).max() <= 1


def test_the_same_case_gives_the_same_bytes(tmp_path: Path) -> None:
    heatmap = ball((0, 0, 0), 9.0)(places(GRID)).astype(np.float32)
    for name in ("a.png", "b.png"):
        write_overlay_png(volume_of(Modality.CT, 30.0), heatmap, GRID, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (31.0, -52.0, 17.0)])
def test_a_heatmap_on_the_network_s_grid_is_drawn_where_the_same_heat_on_the_patient_s_grid_is(
    tmp_path: Path, centre: tuple[float, float, float]
) -> None:
    affine = np.array([[0, 0, 5.0, -110], [0, 6.0, 0, -120], [7.0, 0, 0, -90], [0, 0, 0, 1]])
    coarse = Grid((40, 42, 45), affine)
    wide = ball(centre, 30.0)(places(coarse)).astype(np.float32)
    fine = heatmap_to_patient_grid(wide, coarse, GRID)
    write_overlay_png(volume_of(Modality.CT, 40.0), wide, coarse, tmp_path / "coarse.png")
    write_overlay_png(volume_of(Modality.CT, 40.0), fine, GRID, tmp_path / "fine.png")
    one, other = (np.asarray(Image.open(tmp_path / name)) for name in ("coarse.png", "fine.png"))
    heat, same = colourful(one[:, :1100]), colourful(other[:, :1100])
    assert heat.sum() > 1000
    assert (heat & same).sum() / (heat | same).sum() > 0.9


def test_heat_beyond_the_patient_s_image_is_not_drawn_and_does_not_move_the_planes(tmp_path: Path) -> None:
    """The network's grid may reach beyond a short scan; what it saw there is no part of the patient's picture."""
    affine = np.diag([10.0, 10.0, 10.0, 1.0])
    affine[:3, 3] = [-300, -300, -300]
    wide = Grid((61, 61, 61), affine)
    heatmap = np.zeros(wide.shape, np.float32)
    heatmap[30, 30, 55] = 1.0  # 250 mm above the origin, where the scan ends at 62
    within = heatmap.copy()
    within[30, 30, 30] = 0.9
    for name, array in (("beyond.png", heatmap), ("both.png", within)):
        write_overlay_png(volume_of(Modality.CT, 40.0), array, wide, tmp_path / name)
    beyond, both = (np.asarray(Image.open(tmp_path / name)) for name in ("beyond.png", "both.png"))
    assert not colourful(beyond[:, :1100]).any()
    assert colourful(both[:, 28 : 28 + 380]).any(), (
        "the axial plane goes through the highest that lies within"
    )


def test_a_note_stands_below_and_changes_nothing_above(tmp_path: Path) -> None:
    heatmap = ball((0, 0, 0), 9.0)(places(GRID)).astype(np.float32)
    bare, noted = tmp_path / "bare.png", tmp_path / "noted.png"
    write_overlay_png(volume_of(Modality.CT, 30.0), heatmap, GRID, bare)
    write_overlay_png(volume_of(Modality.CT, 30.0), heatmap, GRID, noted, "Not for clinical use. " * 20)
    without, with_note = (np.asarray(Image.open(path)) for path in (bare, noted))
    above = len(without) - 14
    assert np.array_equal(with_note[:above], without[:above])
    assert with_note[above:].max() > 200
    assert with_note[-10:].max() == without[above:].max() == 0, "none of it is cut off"


@given(turn=st.floats(-30, 30), shift=st.integers(-20, 20))
def test_inside_is_what_resampling_calls_inside(turn: float, shift: int) -> None:
    radians = np.deg2rad(turn)
    affine = np.diag([9.0, 9.0, 9.0, 1.0])
    affine[:2, :2] = 9 * np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    affine[:3, 3] = [-100.37 + shift, -90.37, -100.37 - shift]  # whole planes never lie on a border
    points = Grid((21, 23, 25), affine)
    ones = heatmap_to_patient_grid(np.ones(GRID.shape, np.float32), GRID, points)
    assert np.mean((ones > 0) != _inside(points, GRID)) < 0.002, "but for points on the border itself"


def test_of_a_turned_image_no_heat_is_drawn_in_the_corners_that_it_does_not_fill(tmp_path: Path) -> None:
    turned = np.eye(4)
    turned[:2, :2] = [[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]]
    grid = Grid(GRID.shape, turned @ AFFINE)
    plain = as_volume(np.full(GRID.shape, 40, np.float32), grid)
    volume = Volume(plain.voxels, plain.step_i, plain.step_j, plain.slice_origins, grid, Modality.CT)
    affine = np.diag([10.0, 10.0, 10.0, 1.0])
    affine[:3, 3] = -300
    write_overlay_png(
        volume, np.ones((61, 61, 61), np.float32), Grid((61, 61, 61), affine), tmp_path / "a.png"
    )
    (axial, *_) = three_planes(grid, np.zeros(3), 480)
    rows, columns, _ = axial.grid.shape
    heat = (
        np.asarray(Image.open(tmp_path / "a.png")).astype(int)[28 : 28 + rows, 28 : 28 + columns].max(axis=2)
    )
    assert heat[rows // 2, columns // 2] > 100
    assert heat[20, 20] == heat[rows - 20, columns - 20] == 0
