"""The numbers of drift, held against what is known of them."""

import numpy as np
import pytest

from app.imaging.intensity import intensity_of
from app.monitoring.effects import CHANCE, psi, psi_by_chance, shift_by_chance, shift_of_share

TENTHS = np.full(10, 0.1)


def test_equal_shares_have_no_index_and_unequal_ones_that_of_the_textbook() -> None:
    assert psi(np.full(10, 1000), TENTHS, 10_000) == pytest.approx(0, abs=1e-9)
    counts, shares = np.array([500_000, 500_000]), np.array([0.25, 0.75])
    expected = 0.25 * np.log(2) - 0.25 * np.log(2 / 3)
    assert psi(counts, shares, 10**9) == pytest.approx(expected, rel=1e-4)


def test_an_empty_bin_costs_much_and_not_everything() -> None:
    assert 0.1 < psi(np.array([0, *[111] * 9]), TENTHS, 1000) < 1


@pytest.mark.parametrize(("n", "reference_n"), [(100, 3000), (500, 3000), (500, 200)])
def test_chance_exceeds_what_is_told_as_chance_as_rarely_as_is_said(n: int, reference_n: int) -> None:
    """Seen at one in a hundred, where ten thousand draws can see anything; the tail follows the same law."""
    chance = np.random.default_rng(5)
    now, then = (chance.multinomial(size, TENTHS, 10_000) for size in (n, reference_n))
    found = np.array([psi(a, b / reference_n, reference_n) for a, b in zip(now, then, strict=True)])
    at_one_percent = (
        psi_by_chance(10, n, reference_n) * 21.67 / 45.08
    )  # quantiles of chi-squared with 9 degrees
    assert (found > at_one_percent).mean() == pytest.approx(0.01, abs=0.004)
    assert not (found > psi_by_chance(10, n, reference_n)).any()


def test_shares_shift_by_cohens_h() -> None:
    assert shift_of_share(0.5, 0.5) == 0
    assert shift_of_share(0.75, 0.5) == pytest.approx(0.5236, abs=1e-4)
    assert shift_of_share(0.25, 0.5) == pytest.approx(-0.5236, abs=1e-4)


def test_a_rare_flag_is_not_raised_by_a_handful_of_cases() -> None:
    """Of 100 cases, one in a hundred is flagged: a one-in-a-million draw is nine, and that many raise nothing."""
    assert shift_of_share(0.09, 0.01) < shift_by_chance(100, 10**9)
    assert shift_of_share(0.15, 0.01) > shift_by_chance(100, 10**9)
    assert CHANCE == 1e-6


def test_intensity_follows_the_scale_and_not_the_size() -> None:
    image = np.random.default_rng(6).gamma(4, 25, (32, 88, 72)).astype(np.float32)
    plain, twice = intensity_of(image), intensity_of(2 * image)
    assert {name: 2 * value for name, value in plain.items()} == pytest.approx(twice)
    assert plain["p75"] == pytest.approx(float(np.quantile(image, 0.75)), rel=0.05)
