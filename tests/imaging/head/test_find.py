from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float64

from app.imaging.head.find import find_head
from app.imaging.read import read_image
from app.imaging.resample import as_volume, to_model_grid
from app.imaging.volume import Grid, Modality, Volume
from tests.imaging.bodies import head as head_of_layers
from tests.imaging.bodies import image_of as body_of
from tests.imaging.bodies import stored_otherwise
from tests.imaging.making import CT_GRID, Field, head_ct, places

Points = Float64[np.ndarray, "*n 3"]
VERTEX, CENTRE = 115.0, (10.0, -20.0)


def image_of(field_at: Field, low: tuple[float, float, float], high: tuple[float, float, float]) -> Volume:
    spacing = np.array([3.0, 3.0, 5.0])
    i, j, k = (int(n) for n in (np.array(high) - np.array(low)) // spacing + 1)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = low
    grid = Grid((i, j, k), affine)
    plain = as_volume(np.asfortranarray(field_at(places(grid)).astype(np.int16)), grid)
    return Volume(plain.voxels, plain.step_i, plain.step_j, plain.slice_origins, grid, Modality.CT)


def with_table(points: Points) -> Points:
    """Head, a table below it, the two thin walls of a head holder, and shoulders."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    table = (y < -140) & (y > -146)
    holder = (np.abs(np.abs(x - 10) - 95) < 1.6) & (y < 20) & (z < 60)
    shoulders = (z < -60) & (np.abs(x) < 150) & (y > -100) & (y < 40)
    neck = (z < 0) & (np.hypot(x - 10, y + 40) < 50)
    body = np.where(shoulders | neck, 30.0, -1000.0)
    body = np.where(table | holder, 100.0, body)
    head = head_ct(points)
    return np.where(head > -1000, head, body)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((-130, -160, -120), (150, 110, 140)),  # with shoulders
        ((-130, -160, 20), (150, 110, 140)),  # from the skull base on
        ((-90, -130, -20), (110, 90, 125)),  # tight
    ],
)
def test_vertex_and_centre_hold_in_any_field_of_view(
    low: tuple[float, float, float], high: tuple[float, float, float]
) -> None:
    head = find_head(image_of(with_table, low, high))
    assert head.found
    assert head.findings == ()
    assert head.vertex_mm == pytest.approx(VERTEX, abs=5)
    assert head.centre_mm == pytest.approx(CENTRE, abs=4)


@settings(deadline=None, max_examples=15)
@given(st.tuples(*[st.floats(-30, 30)] * 3))
def test_the_head_moves_with_the_patient(shift: tuple[float, float, float]) -> None:
    moved = find_head(
        image_of(lambda points: head_ct(points - np.array(shift)), (-130, -160, -100), (150, 120, 160))
    )
    assert moved.centre_mm == pytest.approx(np.add(CENTRE, shift[:2]), abs=3)
    assert moved.vertex_mm == pytest.approx(VERTEX + shift[2], abs=6)  # slices are 5 mm apart


HEAD = body_of(head_of_layers(), low=(-113.0, -121.0, -148.0), high=(127.0, 139.0, 112.0), spacing=(4.0,) * 3)
"""Not in the middle, and a whole number of times the 4 mm long at which the head is looked for."""


@settings(deadline=None, max_examples=20)
@given(
    order=st.sampled_from(list(permutations(range(3)))),
    flips=st.sampled_from(list(product((1, -1), repeat=3))),
    rounding=st.floats(-1e-6, 1e-6),
)
def test_neither_the_order_of_storage_nor_a_voxel_size_s_last_digits_move_the_head(
    order: tuple[int, int, int], flips: tuple[int, int, int], rounding: float
) -> None:
    stored = stored_otherwise(HEAD, order, flips)
    step_i, step_j, origins = (
        lengths * (1 + rounding) for lengths in (stored.step_i, stored.step_j, stored.slice_origins)
    )
    found = find_head(Volume(stored.voxels, step_i, step_j, origins, stored.grid, stored.modality))
    expected = find_head(HEAD)
    assert found.vertex_mm == pytest.approx(expected.vertex_mm, abs=1e-3)
    assert found.centre_mm == pytest.approx(expected.centre_mm, abs=1e-3)


ON_THE_LIMIT = body_of(head_of_layers(size=0.98), low=(-112.0, -126.0, -136.0), spacing=(6.0, 6.0, 3.0))
"""A plane of the places that are looked at lies just `TOP_MM` below the vertex; it moves the centre by 3 mm."""


@pytest.mark.parametrize("origin_mm", [-871.3, 0.3, 123.4])
def test_where_the_scanner_counts_from_does_not_move_the_head(origin_mm: float) -> None:
    origins = ON_THE_LIMIT.slice_origins + np.array([0, 0, origin_mm])
    found, expected = find_head(replace(ON_THE_LIMIT, slice_origins=origins)), find_head(ON_THE_LIMIT)
    assert found.vertex_mm - origin_mm == pytest.approx(expected.vertex_mm, abs=1e-3)
    assert found.centre_mm == pytest.approx(expected.centre_mm, abs=1e-3)


def test_the_box_is_that_of_the_head() -> None:
    head = find_head(image_of(with_table, (-130, -160, -120), (150, 110, 140)))
    assert head.size_mm == pytest.approx((150, 190), rel=0.12)  # less 1 % of the voxels on either side


def test_without_a_head_the_grid_is_centred_and_it_is_said() -> None:
    volume = image_of(lambda points: points[..., 0] / 10 - 1000, (-60, -60, 0), (60, 60, 100))
    image = to_model_grid(volume, CT_GRID)
    assert [finding.code for finding in image.findings] == ["head-not-found"]
    middle = image.grid.affine[:3] @ np.array([*(np.array(image.grid.shape) - 1) / 2, 1])
    assert middle == pytest.approx([0, 0, 50])


def test_a_small_body_is_no_head() -> None:
    def fist(points: Points) -> Points:
        return np.where(np.linalg.norm(points, axis=-1) < 25, 40.0, -1000.0)

    assert not find_head(image_of(fist, (-60, -60, -60), (60, 60, 60))).found


@pytest.mark.samples
def test_the_same_head_is_found_at_full_and_half_resolution(samples: Path) -> None:
    full = find_head(read_image([samples / "mr-t1/studyforrest-sub02-t1.zip"], modality=Modality.MR))
    half = find_head(read_image([samples / "nifti/studyforrest_sub02_t1_1p4mm.nii.gz"], modality=Modality.MR))
    assert full.vertex_mm == pytest.approx(half.vertex_mm, abs=4)
    assert full.centre_mm == pytest.approx(half.centre_mm, abs=3)
