"""Depth functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.phantoms.ct.shapes import Points, Region, blend, carve, oval, shell, smallest, tube, union

numbers = st.floats(-20, 20, width=32)


def _at(*positions: tuple[float, float, float]) -> Points:
    return Points(*np.asarray(positions, np.float32).T)


def test_the_depth_of_a_ball_is_exact() -> None:
    depth = oval(_at((1, 2, 3), (11, 2, 3), (1, 2, 8)), (1, 2, 3), (10, 10, 10))
    np.testing.assert_allclose(depth, [10, 0, 5], atol=1e-3)


def test_the_depth_of_an_ellipsoid_is_in_millimetres_near_its_surface() -> None:
    depth = oval(_at((29, 0, 0), (31, 0, 0), (0, 9, 0), (0, 0, 6)), (0, 0, 0), (30, 10, 5))
    np.testing.assert_allclose(depth, [1, -1, 1, -1.2], atol=0.25)


def test_a_tube_widens_from_one_end_to_the_other() -> None:
    depth = tube(
        _at((0, 0, 0), (5, 0, 0), (10, 0, 0), (10, 3, 0), (13, 0, 0)), ((0, 0, 0), (10, 0, 0)), (1, 3)
    )
    np.testing.assert_allclose(depth, [1, 2, 3, 0, 0], atol=1e-5)


@given(numbers, numbers, st.floats(0.5, 10))
def test_rounding_fills_creases_and_leaves_the_rest(first: float, second: float, radius_mm: float) -> None:
    a, b = np.array([first], np.float32), np.array([second], np.float32)
    rounded = float(blend(a, b, radius_mm)[0])
    assert rounded >= max(first, second) - 1e-5
    assert rounded <= max(first, second) + radius_mm / 4 + 1e-5
    if abs(first - second) >= radius_mm:
        assert rounded == pytest.approx(max(first, second), abs=1e-5)
    assert float(smallest(-a, -b, radius_mm)[0]) == pytest.approx(-rounded, abs=1e-5)


@given(numbers, numbers)
def test_solids_combine_as_sets(first: float, second: float) -> None:
    a, b = np.array([first], np.float32), np.array([second], np.float32)
    assert (union(a, b)[0] > 0) == (first > 0 or second > 0)
    assert (carve(a, b)[0] > 0) == (first > 0 and second < 0)


def test_a_shell_lies_just_outside() -> None:
    depth = np.array([1, -0.5, -1.5, -2.5], np.float32)
    np.testing.assert_array_equal(shell(depth, 2) > 0, [False, True, True, False])


def test_paired_shapes_are_mirrored() -> None:
    p = _at((7, 1, 2), (-7, 1, 2))
    left, right = oval(p.mirrored, (8, 0, 0), (3, 3, 3))
    assert left == right


def test_a_region_takes_both_heights_of_a_node_and_puts_them_back() -> None:
    field = np.arange(2 * 2 * 3 * 1, dtype=np.float32).reshape(2, 2, 3, 1)
    region = Region.where(field == 4)  # slice 0, upper height, node 1
    np.testing.assert_array_equal(region.take(field), [1, 4])
    whole = region.put(region.take(field), -9.0)
    assert whole.shape == field.shape
    assert whole[0, 0, 1, 0] == 1
    assert whole[0, 1, 1, 0] == 4
    assert np.count_nonzero(whole == -9) == field.size - 2
