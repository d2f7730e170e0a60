"""The overview picture: what lies where, read from its pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.imaging.pictures.drawing import MARK
from app.imaging.pictures.overview import write_overview_png
from app.imaging.pictures.overview_layout import Panel, lay_out
from app.imaging.pictures.planes import axial_planes, box_mm
from app.imaging.read import read_image
from app.imaging.resample import as_volume
from app.imaging.volume import Grid, Modality, Volume
from tests.imaging.making import Series, ball, places

AFFINE = np.diag([2.0, 2.0, 4.0, 1.0])
AFFINE[:3, 3] = [-80, -100, -60]
GRID = Grid((81, 101, 31), AFFINE)
CENTRE = np.array([30.0, 40.0, 20.0])
"""Right, anterior, superior of the middle."""
MODEL_AFFINE = np.array([[0, 0, 4, -62.0], [0, 4, 0, -70], [4, 0, 0, -40], [0, 0, 0, 1]])
MODEL_GRID = Grid((21, 36, 32), MODEL_AFFINE)
"""Outer faces at x -64 and 64, y -72 and 72, z -42 and 42."""


def volume_of(values: np.ndarray, modality: Modality) -> Volume:
    plain = as_volume(values.astype(np.float32), GRID)
    return Volume(plain.voxels, plain.step_i, plain.step_j, plain.slice_origins, GRID, modality)


def drawn(
    volume: Volume, path: Path, model_grid: Grid | None = None, centre: np.ndarray = CENTRE
) -> np.ndarray:
    write_overview_png(volume, centre, model_grid, path / "a.png")
    return np.asarray(Image.open(path / "a.png")).astype(int)


def part(picture: np.ndarray, panel: Panel) -> np.ndarray:
    rows, columns, _ = panel.plane.grid.shape
    return picture[panel.top : panel.top + rows, panel.left : panel.left + columns]


@pytest.fixture
def bright_ball() -> Volume:
    return volume_of(100 * ball((30, 40, 20), 5.0)(places(GRID)), Modality.CT)


def test_a_ball_is_bright_at_its_place_in_each_plane_and_nowhere_else(
    bright_ball: Volume, tmp_path: Path
) -> None:
    picture = drawn(bright_ball, tmp_path)
    for panel in lay_out(GRID, CENTRE, None).planes:
        row, column = panel.plane.pixel(CENTRE)
        inside = part(picture, panel)
        assert (inside[row, column] == 255).all()
        rows, columns = inside.shape[:2]
        assert row < rows / 2  # anterior and superior are up
        assert column < columns / 2  # the patient's right, and anterior, are left
        far = inside[rows - 40 : rows - 30, columns - 40 : columns - 30]
        assert far.max() == 0


def test_the_slice_nearest_to_a_ball_shows_it_brightest(bright_ball: Volume, tmp_path: Path) -> None:
    picture = drawn(bright_ball, tmp_path)
    tiles = lay_out(GRID, CENTRE, None).tiles
    at_ball = [int(picture[panel.on_canvas(CENTRE)[::-1]].min()) for panel in tiles]
    nearest = min(tiles, key=lambda panel: abs(panel.plane.across_mm - CENTRE[2]))
    assert at_ball[tiles.index(nearest)] == max(at_ball) > 180
    assert at_ball[0] == 0


def test_slices_climb_from_the_lowest_in_even_steps() -> None:
    low, high = box_mm(GRID)
    heights = np.array([plane.across_mm for plane in axial_planes((low, high), 150, 24)])
    step = (high[2] - low[2]) / 24
    assert np.allclose(heights, low[2] + (np.arange(24) + 0.5) * step, atol=0.7)
    assert (np.diff(heights) > 0).all()


def test_the_outline_lies_on_the_outer_faces_of_the_model_grid(tmp_path: Path) -> None:
    picture = drawn(volume_of(np.full(GRID.shape, -1000), Modality.CT), tmp_path, MODEL_GRID)
    axial, coronal, sagittal = lay_out(GRID, CENTRE, MODEL_GRID).planes
    for panel, corners in (
        (axial, [(64, 72, 20), (-64, -72, 20)]),
        (coronal, [(64, 40, 42), (-64, 40, -42)]),
        (sagittal, [(30, 72, 42), (30, -72, -42)]),
    ):
        for corner in corners:
            x, y = panel.on_canvas(np.array(corner, float))
            assert tuple(picture[y, x]) == MARK
        x, y = panel.on_canvas(np.array([0.0, 0.0, 0.0]))
        assert tuple(picture[y, x]) == (0, 0, 0)


def test_a_slice_outside_the_model_grid_has_no_outline(tmp_path: Path) -> None:
    picture = drawn(volume_of(np.full(GRID.shape, -1000), Modality.CT), tmp_path, MODEL_GRID)
    tiles = lay_out(GRID, CENTRE, MODEL_GRID).tiles
    outlined = [bool((part(picture, panel) == MARK).all(axis=-1).any()) for panel in tiles]
    assert outlined == [-42 <= panel.plane.across_mm <= 42 for panel in tiles]
    assert not all(outlined)


@pytest.mark.parametrize(("hu", "grey"), [(0.0, 0), (40.0, 128), (80.0, 255), (-1000.0, 0)])
def test_ct_is_shown_in_the_brain_window(tmp_path: Path, hu: float, grey: int) -> None:
    picture = drawn(volume_of(np.full(GRID.shape, hu), Modality.CT), tmp_path)
    row, column = (np.array(picture.shape[:2]) * (0.2, 0.1)).astype(int)
    assert np.abs(picture[row, column] - grey).max() <= 1


def test_mr_spreads_over_all_greys_whatever_its_unit(tmp_path: Path) -> None:
    for unit in (1.0, 1e4):
        picture = drawn(volume_of(unit * (places(GRID)[..., 0] + 80), Modality.MR), tmp_path)
        axial = lay_out(GRID, CENTRE, None).planes[0]
        row = part(picture, axial)[60, :, 0]
        assert row[5] > 240  # the patient's right, where the field is high, is on the left
        assert row[-5] < 15


def test_the_centre_is_brought_into_the_image(tmp_path: Path) -> None:
    picture = drawn(
        volume_of(np.zeros(GRID.shape), Modality.CT), tmp_path, centre=np.array([999.0, -999, 999])
    )
    assert picture.shape[2] == 3


def test_a_tilted_series_is_drawn_where_it_lies(tmp_path: Path) -> None:
    spot = np.array([10.0, 0.0, 40.0])
    series = Series(field_at=lambda points: 80 * ball(tuple(spot), 9.0)(points), tilt_degrees=18.0)
    volume = read_image(series.write(tmp_path / "series"), modality=Modality.CT)
    write_overview_png(volume, spot, None, tmp_path / "a.png")
    picture = np.asarray(Image.open(tmp_path / "a.png")).astype(int)
    for panel in lay_out(volume.grid, spot, None).planes:
        row, column = panel.plane.pixel(spot)
        around = part(picture, panel)[row - 60 : row + 61, column - 60 : column + 61, 0]
        rows, columns = np.indices(around.shape)
        middle = (around * rows).sum() / around.sum(), (around * columns).sum() / around.sum()
        assert middle == pytest.approx((60, 60), abs=1.5)


def test_the_same_image_gives_the_same_bytes(bright_ball: Volume, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_overview_png(bright_ball, CENTRE, MODEL_GRID, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
