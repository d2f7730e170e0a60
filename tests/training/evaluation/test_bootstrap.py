"""training.evaluation.bootstrap: intervals cover, strata keep their sizes, seeds decide everything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation import statistics
from training.evaluation.bootstrap import Resamples, Weights


@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_every_resample_keeps_the_size_of_every_stratum(sizes: list[int], seed: int) -> None:
    strata = np.repeat(np.arange(len(sizes)), sizes)

    def sums_per_stratum(weights: Weights) -> np.ndarray:
        sums = np.stack([weights[:, strata == value].sum(axis=1) for value in range(len(sizes))])
        kept: np.ndarray = (sums == np.array(sizes)[:, None]).all(axis=0).astype(np.float64)
        return kept

    assert Resamples(strata, draws=20, seed=seed).estimate(sums_per_stratum).draws.all()


def test_equal_seeds_give_equal_draws_and_others_do_not() -> None:
    values = np.random.default_rng(0).normal(size=50)
    strata = np.zeros(50, dtype=np.int64)
    first, again, other = (
        Resamples(strata, draws=50, seed=seed).estimate(statistics.mean(values)).draws for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_statistic_sees_the_same_weights_whether_taken_at_once_or_in_pieces() -> None:
    """Forty thousand patients do not fit at once; the mean of the weights must be 1 in every piece."""
    estimate = Resamples(np.zeros(40_000, dtype=np.int64), draws=60).estimate(
        lambda weights: weights.mean(axis=1)
    )
    np.testing.assert_allclose(estimate.draws, 1)


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(2).normal(0, 1, 400)
    low, high = Resamples(np.zeros(400, dtype=np.int64)).estimate(statistics.mean(values)).interval
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_intervals_of_an_auroc_hold_the_truth_as_often_as_they_say() -> None:
    """Scores one standard deviation apart have AUROC Phi(1 / sqrt 2) = 0.760. 300 studies of 120 patients."""
    rng = np.random.default_rng(3)
    event = np.arange(120) < 50
    held = []
    for _ in range(300):
        estimate = Resamples(event.astype(int), draws=400).estimate(
            statistics.auroc(rng.normal(event, 1), event)
        )
        low, high = estimate.interval
        held.append(low <= 0.7602 <= high)
    assert 0.90 <= np.mean(held) <= 0.985  # binomial error 1.3 points


def test_p_agrees_with_the_interval_about_zero() -> None:
    rng = np.random.default_rng(4)
    for shift in np.linspace(-0.4, 0.4, 15):
        estimate = Resamples(np.zeros(60, dtype=np.int64)).estimate(statistics.mean(rng.normal(shift, 1, 60)))
        low, high = estimate.interval
        if not 0.04 < estimate.p < 0.06:
            assert (estimate.p < 0.05) == (low > 0 or high < 0)


def test_a_number_that_the_patients_do_not_allow_is_left_out() -> None:
    score, event = np.array([0.1, 0.9, 0.4]), np.zeros(3, dtype=bool)
    metrics = Resamples(event.astype(int), draws=10).metrics(
        {"auroc": statistics.auroc(score, event), "brier": statistics.brier(score, event)}
    )
    assert [metric.name for metric in metrics] == ["brier"]
