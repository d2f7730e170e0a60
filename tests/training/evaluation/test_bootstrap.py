"""training.evaluation.bootstrap: intervals cover, resamples keep their size, seeds decide everything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation import statistics
from training.evaluation.bootstrap import Resamples, Share
from training.evaluation.decision import net_benefit


@given(n=st.integers(1, 60), seed=st.integers(0, 99))
def test_every_resample_has_as_many_patients(n: int, seed: int) -> None:
    drawn = Resamples(n, draws=20, seed=seed).estimate(lambda weights: weights.sum(axis=1)).draws
    np.testing.assert_array_equal(drawn, n)


def test_equal_seeds_give_equal_draws_and_others_do_not() -> None:
    values = np.random.default_rng(0).normal(size=50)
    first, again, other = (
        Resamples(50, draws=50, seed=seed).estimate(statistics.mean(values)).draws for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_statistic_sees_the_same_weights_whether_taken_at_once_or_in_pieces() -> None:
    """Forty thousand patients do not fit at once; the mean of the weights must be 1 in every piece."""
    estimate = Resamples(40_000, draws=60).estimate(lambda weights: weights.mean(axis=1))
    np.testing.assert_allclose(estimate.draws, 1)


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(2).normal(0, 1, 400)
    low, high = Resamples(400).estimate(statistics.mean(values)).interval
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_intervals_of_an_auroc_hold_the_truth_as_often_as_they_say() -> None:
    """Scores one standard deviation apart have AUROC Phi(1 / sqrt 2) = 0.760. 300 studies of 120 patients."""
    rng = np.random.default_rng(3)
    event = np.arange(120) < 50
    held = []
    for _ in range(300):
        estimate = Resamples(len(event), draws=400).estimate(statistics.auroc(rng.normal(event, 1), event))
        low, high = estimate.interval
        held.append(low <= 0.7602 <= high)
    assert 0.90 <= np.mean(held) <= 0.985  # binomial error 1.3 points


def test_p_agrees_with_the_interval_about_zero() -> None:
    rng = np.random.default_rng(4)
    for shift in np.linspace(-0.4, 0.4, 15):
        estimate = Resamples(60).estimate(statistics.mean(rng.normal(shift, 1, 60)))
        low, high = estimate.interval
        if not 0.04 < estimate.p < 0.06:
            assert (estimate.p < 0.05) == (low > 0 or high < 0)


def test_a_number_that_the_patients_do_not_allow_is_left_out() -> None:
    score, event = np.array([0.1, 0.9, 0.4]), np.zeros(3, dtype=bool)
    metrics = Resamples(len(event), draws=10).metrics(
        {"auroc": statistics.auroc(score, event), "brier": statistics.brier(score, event)}
    )
    assert [metric.name for metric in metrics] == ["brier"]


@pytest.mark.parametrize("found", [0, 10])
def test_a_share_of_none_or_of_all_is_not_claimed_to_be_certain(found: int) -> None:
    """Every resample of ten patients of whom all are found has all found; of ten others, one in four may yet be missed."""
    hit, among = np.arange(40) < found, np.arange(40) < 10
    estimate = Resamples(len(among), draws=50).estimate(Share(hit, among))
    assert np.ptp(estimate.draws) == 0
    assert estimate.metric("sensitivity").n == 10
    low, high = estimate.interval
    width = 1.96**2 / (10 + 1.96**2)
    assert (low, high) == pytest.approx((0, width) if found == 0 else (1 - width, 1), abs=1e-4)


def test_any_other_share_has_its_percentiles() -> None:
    hit, everyone = np.arange(40) < 10, np.ones(40, dtype=np.bool_)
    resamples = Resamples(40)
    assert (
        resamples.estimate(Share(hit, everyone)).interval
        == resamples.estimate(statistics.mean(hit.astype(float))).interval
    )


def test_intervals_of_an_honest_models_calibration_hold_its_truth_as_often_as_they_say() -> None:
    """With the number of events held fixed, as strata by outcome would, calibration in the large was held 55 times in a hundred."""
    rng, held = np.random.default_rng(1), {"large": 0, "benefit": 0}
    at = np.array([0.3])
    whole = 1 / (1 + np.exp(-rng.normal(-0.3, 1.2, 200_000)))
    # Of an honest model: gained where the event comes, paid for where it does not.
    benefit = float(np.mean((whole >= at) * (whole - (1 - whole) * at / (1 - at))))
    for _ in range(100):
        p = rng.choice(whole, 200)
        event = rng.random(200) < p
        resamples = Resamples(200, draws=300)
        low, high = resamples.estimate(statistics.calibration_intercept(p, event)).interval
        held["large"] += low <= 0 <= high
        curve = resamples.curve(at, net_benefit(p, event, at))
        low, high = curve.low[0], curve.high[0]
        held["benefit"] += low <= benefit <= high
    assert held["large"] >= 88
    assert held["benefit"] >= 88
