"""Depth functions and interpolation against what geometry says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.phantoms.implicit import (
    Lattice,
    ellipsoid_depth,
    fraction,
    interpolate,
    smooth_noise,
    tube_depth,
)

BOX = Lattice.covering((-20.0, -20.0, -20.0), (20.0, 20.0, 20.0), 1.0)


def test_a_covering_lattice_starts_at_its_corner_and_reaches_the_other() -> None:
    lattice = Lattice.covering((-3.0, 0.0, 5.0), (4.0, 1.0, 9.0), 1.5)
    for axis, (low, high) in enumerate(((-3.0, 4.0), (0.0, 1.0), (5.0, 9.0))):
        coordinates = lattice.axis(axis)
        assert coordinates[0] == low
        assert high <= coordinates[-1] < high + 2 * 1.5


def test_a_window_has_the_coordinates_of_the_lattice_it_was_cut_from() -> None:
    window, where = BOX.window((-4.5, 2.0, -30.0), (3.0, 6.5, -10.0))
    for axis in range(3):
        np.testing.assert_allclose(window.axis(axis), BOX.axis(axis)[where[axis]], atol=1e-5)
    assert window.axis(0)[0] <= -4.5
    assert window.axis(0)[-1] >= 3.0
    assert window.axis(2)[0] == -20


def test_the_depth_of_a_sphere_is_the_distance_to_its_surface() -> None:
    depth = ellipsoid_depth(BOX.axes(), (0, 0, 0), (10, 10, 10))
    x, y, z = BOX.axes()
    np.testing.assert_allclose(depth, 10 - np.sqrt(x**2 + y**2 + z**2), atol=1e-4)


def test_the_share_inside_a_tube_adds_up_to_its_volume() -> None:
    share = fraction(tube_depth(BOX.axes(), ((0, -8, 0), (0, 8, 0)), (5.0, 5.0)), 1.0)
    assert share.sum() == pytest.approx(np.pi * 25 * 16 + 4 / 3 * np.pi * 125, rel=0.01)


def test_a_tube_narrows_linearly() -> None:
    depth = tube_depth(BOX.axes(), ((-10, 0, 0), (10, 0, 0)), (6.0, 2.0))
    np.testing.assert_allclose(depth[[10, 20, 30], 20, 20], [6, 4, 2], atol=1e-5)


@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_interpolation_is_exact_for_what_is_linear(slopes: list[float]) -> None:
    coarse = Lattice.covering((-21.0, -21.0, -21.0), (21.0, 21.0, 21.0), 3.0)
    fine = Lattice((-12.0, -12.0, -12.0), 1.3, (18, 17, 16))

    def field(lattice: Lattice) -> np.ndarray:
        x, y, z = lattice.axes()
        return np.asarray(slopes[0] * x + slopes[1] * y + slopes[2] * z + slopes[3], np.float32)

    np.testing.assert_allclose(interpolate(field(coarse), coarse, fine), field(fine), atol=1e-3)


def test_noise_has_unit_variance_and_the_asked_wavelength() -> None:
    noise = smooth_noise(
        Lattice.covering((0.0, 0.0, 0.0), (120.0, 120.0, 120.0), 2.0), 24.0, np.random.default_rng(0)
    )
    assert noise.std() == pytest.approx(1, abs=0.01)
    crossings = (np.diff(np.signbit(noise), axis=0)).mean() / 2.0  # per mm; a wave crosses zero twice
    assert 16 < 2 / crossings < 36
