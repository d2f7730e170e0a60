"""Tilted and uneven stacks of fields whose truth is known at every place."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import IrregularGeometryError, MissingSlicesError
from app.imaging.geometry import stack_slices
from app.imaging.read import read_image
from app.imaging.resample import sample_on_grid
from app.imaging.volume import Grid, Modality
from app.imaging.write import voxels_on_grid
from tests.imaging.making import Series, ball, places, ramp, stored_places

UNEVEN = (0, 4, 8, 12, 16, 17.08, 24.08, 31.08, 38.08, 45.08)
X, Y = np.array([-1.0, 0, 0]), np.array([0, -1.0, 0])


def stack(depths: list[float], drift: list[float] | None = None) -> tuple[str, ...]:
    origins = np.array(
        [[0.0, shift, depth] for depth, shift in zip(depths, drift or [0.0] * len(depths), strict=True)]
    )
    return tuple(finding.code for finding in stack_slices(X, Y, origins, (10, 10)).findings)


@pytest.mark.parametrize("tilt", [-25.0, 0.0, 5.0, 18.5])
@pytest.mark.parametrize("depths", [tuple(range(0, 80, 8)), UNEVEN])
def test_a_linear_field_is_read_exactly_through_tilt_and_gaps(
    tmp_path: Path, tilt: float, depths: tuple[float, ...]
) -> None:
    series = Series(field_at=ramp, tilt_degrees=tilt, depths_mm=depths, pixel_mm=1.5)
    volume = read_image(series.write(tmp_path), modality=Modality.CT)
    centre = stored_places(volume).reshape(-1, 3).mean(axis=0)
    affine = np.diag([3.0, 3.0, 2.0, 1.0])
    affine[:3, 3] = centre - [15, 15, 6]
    grid = Grid((11, 11, 7), affine)
    assert (
        np.abs(sample_on_grid(volume, grid, np.nan) - ramp(places(grid))).max() < 1.0
    )  # HU are stored rounded


@pytest.mark.parametrize("tilt", [0.0, 18.5, -12.0])
def test_a_landmark_stays_where_it_is_in_the_patient(tmp_path: Path, tilt: float) -> None:
    centre = (-7.0, 15.0, 15.0)
    series = Series(
        field_at=lambda points: 1000 * ball(centre)(points),
        tilt_degrees=tilt,
        depths_mm=range(-30, 70, 3),
        pixel_mm=2.0,
        first=(50.0, 80.0, 10.0),
    )
    volume = read_image(series.write(tmp_path), modality=Modality.CT)
    image = voxels_on_grid(volume).astype(np.float64)
    weight = np.clip(image, 0, None)
    found = (places(volume.grid) * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()
    assert np.linalg.norm(found - centre) < 0.2


def test_tilt_and_gaps_are_named_with_their_numbers(tmp_path: Path) -> None:
    volume = read_image(Series(tilt_degrees=-18.5, depths_mm=UNEVEN).write(tmp_path), modality=Modality.CT)
    assert [(finding.code, finding.detail) for finding in volume.findings] == [
        ("gantry-tilt-corrected", "18.5 degrees"),
        ("uneven-slice-gaps-resampled", "gaps between slices from 1.08 to 7.00 mm"),
    ]


@pytest.mark.parametrize("tilt", [0.0, 18.5, -30.0])
@pytest.mark.parametrize("depths", [tuple(range(0, 60, 5)), UNEVEN])
def test_the_corrected_grid_is_rectangular_and_covers_every_slice(
    tmp_path: Path, tilt: float, depths: tuple[float, ...]
) -> None:
    volume = read_image(Series(tilt_degrees=tilt, depths_mm=depths).write(tmp_path), modality=Modality.CT)
    columns = volume.grid.affine[:3, :3]
    assert np.allclose(columns.T @ columns, np.diag(np.square(volume.grid.spacing_mm)), atol=1e-6)
    assert np.allclose(columns[:, 0], volume.step_i)
    index = (stored_places(volume) - volume.grid.affine[:3, 3]) @ np.linalg.inv(columns).T
    assert index.min() > -0.2
    assert (index.max(axis=(0, 1, 2)) < np.array(volume.grid.shape) - 0.8).all()


@pytest.mark.parametrize("rounding", [-0.05, 0.0, 0.05])
def test_the_corrected_grid_has_no_row_and_no_slice_that_only_rounding_asks_for(rounding: float) -> None:
    """Slices 3 mm apart, then 4.5: 18 mm, seven of the usual gap. They drift by five rows of 1 mm."""
    depths, drift = [0, 3, 6, 9, 13.5, 18 + rounding], [0, 1, 2, 3, 4, 5 + rounding]
    origins = np.array([[0.0, -shift, depth] for shift, depth in zip(drift, depths, strict=True)])
    grid = stack_slices(X, Y, origins, (10, 10)).grid
    assert grid.shape == (10, 15, 7)
    assert np.allclose(grid.affine[:3, 3], origins[0])


@pytest.mark.parametrize(
    "depths",
    [
        [0, 4, 8, 12, 13.08, 20.08, 27.08, 34.08],  # two blocks that meet
        [0, 2.5, 5, 7.5, 10, 15, 20, 25],  # thin below, thick above
        [0, 1, 2, 3, 5, 6, 7],  # a hole of 2 mm is finer than an ordinary protocol
        [0, 5, 10, 15.2, 20.1, 25],
    ],
)
def test_ordinary_gaps_are_bridged(depths: list[float]) -> None:
    assert stack(depths) == ("uneven-slice-gaps-resampled",)


@pytest.mark.parametrize(
    "depths",
    [
        [0, 5, 10, 20, 25, 30],
        [0, 10, 15, 20, 25, 30],
        [0, 5, 10, 15, 20, 30],
        [0, 4, 8, 16, 20, 21.08, 28.08, 35.08],
        [0, 4, 8, 12, 13.08, 20.08, 34.08, 41.08],
        [0, 1, 2, 3, 7, 8, 9],
    ],
)
def test_a_hole_is_refused(depths: list[float]) -> None:
    with pytest.raises(MissingSlicesError):
        stack(depths)


@given(st.lists(st.floats(-0.04, 0.04), min_size=12, max_size=12), st.floats(0.5, 8))
def test_rounded_positions_are_still_a_regular_series(noise: list[float], gap: float) -> None:
    assert stack([gap * n + shift for n, shift in enumerate(noise)]) == ()


@given(st.integers(0, 10), st.floats(3.1, 8))
def test_any_one_missing_slice_of_an_even_series_is_noticed(missing: int, gap: float) -> None:
    depths = [gap * n for n in range(14) if n != missing + 1]
    with pytest.raises(MissingSlicesError):
        stack(depths)


def test_a_stack_that_wobbles_is_no_volume() -> None:
    with pytest.raises(IrregularGeometryError, match="beside it"):
        stack([0, 5, 10, 15, 20], [0, 0, 8, 0, 0])


@pytest.mark.parametrize("depths", [[0, 5, 10, 15, 20], [0, 5, 10, 16, 21, 26]])
def test_a_slice_beside_the_others_is_no_gantry_tilt(depths: list[float]) -> None:
    for of in range(len(depths)):
        drift = [0.5 * (n == of) for n in range(len(depths))]
        assert "gantry-tilt-corrected" not in stack(depths, drift)
        assert "displaced-slices-resampled" in stack(depths, drift)


def test_a_tilted_stack_with_a_slice_beside_it_is_both() -> None:
    drift = [0.0, 1.5, 3.0, 4.5, 6.5, 7.5]
    assert stack([0, 5, 10, 15, 20, 25], drift) == ("gantry-tilt-corrected", "displaced-slices-resampled")


@pytest.mark.parametrize(("gap", "is_bridged"), [(9.49, True), (9.51, False)])
def test_a_gap_is_a_hole_beyond_1_9_times_the_usual_one(gap: float, is_bridged: bool) -> None:
    for of in range(6):
        assert_bridged(of, 5.0, gap, is_bridged)


@pytest.mark.parametrize(("gap", "is_bridged"), [(2.99, True), (3.01, False)])
def test_no_gap_up_to_3_mm_is_a_hole(gap: float, is_bridged: bool) -> None:
    for of in range(6):
        assert_bridged(of, 1.0, gap, is_bridged)


@pytest.mark.parametrize("first_mm", [-63.2, -63.1, -60.7])
def test_last_digits_of_positions_do_not_make_a_hole_of_3_mm(first_mm: float) -> None:
    depths = [round(first_mm + 1.5 * n, 6) for n in range(40) if n != 20]
    assert stack(depths) == ("uneven-slice-gaps-resampled",)


def assert_bridged(of: int, usual: float, gap: float, is_bridged: bool) -> None:
    depths = np.cumsum([0.0, *(gap if n == of else usual for n in range(6))]).tolist()
    if is_bridged:
        assert stack(depths) == ("uneven-slice-gaps-resampled",)
    else:
        with pytest.raises(MissingSlicesError, match=f"found one of {gap:.2f} mm between slices {of + 1} "):
            stack(depths)


def test_a_stack_steeper_than_any_gantry_is_refused() -> None:
    depths = [8.0 * n for n in range(8)]
    assert stack(depths, [depth * np.tan(np.radians(44.9)) for depth in depths]) == ("gantry-tilt-corrected",)
    with pytest.raises(IrregularGeometryError, match="at most 45 degrees"):
        stack(depths, [depth * np.tan(np.radians(45.1)) for depth in depths])


@pytest.mark.parametrize("at", [0, 3, 5])
def test_two_slices_closer_than_rounding_are_no_neighbours(at: int) -> None:
    depths = sorted([*(2.0 * n for n in range(6)), 2.0 * at + 0.09])
    with pytest.raises(IrregularGeometryError, match=r"0\.09 mm apart"):
        stack(depths)


def test_a_few_bytes_of_positions_cannot_ask_for_a_huge_grid() -> None:
    depths = np.cumsum([0.0, *[0.11] * 51, *[2.99] * 49]).tolist()
    with pytest.raises(IrregularGeometryError, match="8 times"):
        stack(depths)
