from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from app.imaging.sampling.axis_weights import (
    FWHM_PER_SIGMA,
    antialias_sigma,
    apply_weights,
    interpolation,
    smoothing,
)


def dense(positions: np.ndarray, gaps: np.ndarray, target: float) -> np.ndarray:
    matrix = smoothing(positions, gaps, target)
    assert matrix is not None
    return np.asarray(matrix.toarray())


@given(st.floats(0.3, 5), st.floats(0.3, 20))
def test_voxel_widths_add_in_squares(stored: float, target: float) -> None:
    width = float(antialias_sigma(target, stored)) * FWHM_PER_SIGMA
    assert np.hypot(width, stored) == pytest.approx(max(target, stored))


def test_an_even_axis_is_smoothed_as_scipy_does() -> None:
    gaps = np.full(40, 0.5)
    values = np.random.default_rng(0).normal(size=40)
    sigma = float(antialias_sigma(1.4, 0.5)) / 0.5
    expected = gaussian_filter1d(values, sigma, mode="nearest", radius=int(4 * sigma))
    assert np.allclose(dense(np.arange(40) * 0.5, gaps, 1.4) @ values, expected)


def test_a_slice_weighs_as_much_as_the_length_it_stands_for() -> None:
    """Two neighbours as far away: the one that stands for three times as much counts three times as much."""
    positions, gaps = np.array([-40.0, -2, 0, 2, 40]), np.array([1.0, 1, 2, 3, 1])
    before, after = dense(positions, gaps, 10.0)[2, [1, 3]]
    assert after / before == pytest.approx(3)


@given(st.lists(st.floats(0.5, 4), min_size=2, max_size=20), st.floats(1, 15))
def test_rows_sum_to_one_whatever_the_gaps(gaps: list[float], target: float) -> None:
    depths = np.cumsum([0.0, *gaps])
    own = np.array([gaps[0], *((a + b) / 2 for a, b in pairwise(gaps)), gaps[-1]])
    matrix = smoothing(depths, own, target)
    if matrix is not None:
        assert np.allclose(matrix.sum(axis=1), 1)
        assert matrix.data.min() >= 0


@pytest.mark.parametrize("gaps", [[1.0] * 12 + [8.0] * 4, [8.0, 1.0, 1.0, 1.0, 8.0, 1.0, 1.0]])
def test_thin_slices_beside_thick_ones_are_smoothed_with_all_that_lie_within_four_sigmas(
    gaps: list[float],
) -> None:
    depths = np.cumsum([0.0, *gaps])
    own = np.array([gaps[0], *((a + b) / 2 for a, b in pairwise(gaps)), gaps[-1]])
    far = 200  # samples beyond each end, each a gap of the end's behind the one before
    places = np.r_[
        depths[0] - own[0] * np.arange(far, 0, -1), depths, depths[-1] + own[-1] * np.arange(1, far + 1)
    ]
    lengths = np.r_[np.full(far, own[0]), own, np.full(far, own[-1])]
    values = np.random.default_rng(3).normal(size=len(depths))
    found = dense(depths, own, 9.0) @ values
    for at, sigma, smoothed in zip(depths, antialias_sigma(9.0, own), found, strict=True):
        weights = lengths * np.exp(-0.5 * ((places - at) / sigma) ** 2) * (np.abs(places - at) <= 4 * sigma)
        assert smoothed == pytest.approx(np.average(np.pad(values, far, mode="edge"), weights=weights))


def test_nothing_is_smoothed_where_nothing_shrinks() -> None:
    assert smoothing(np.arange(5.0), np.ones(5), 1.0) is None
    assert smoothing(np.arange(5.0), np.ones(5), 0.2) is None


@given(st.lists(st.floats(-3, 12), min_size=1, max_size=8), st.integers(1, 9))
def test_interpolation_is_numpy_s(index: list[float], size: int) -> None:
    values = np.random.default_rng(size).normal(size=size)
    expected = np.interp(index, np.arange(size), values)
    assert np.allclose(interpolation(np.array(index), size) @ values, expected)


def test_one_matrix_per_axis_is_the_full_product() -> None:
    rng = np.random.default_rng(2)
    part = rng.integers(-1000, 1000, (5, 6, 7)).astype(np.int16)
    k, j, i = (interpolation(rng.uniform(0, n - 1, n + 2), n) for n in part.shape)
    expected = np.einsum("ck,bj,ai,kji->cba", k.toarray(), j.toarray(), i.toarray(), part)
    assert np.allclose(apply_weights(part, k, j, i), expected, atol=1e-2)
    assert np.array_equal(apply_weights(part, None, None, None), part)
