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
    for shift in [*np.linspace(-0.4, 0.4, 15), -5, 0.7, 1, 5]:
        few = np.arange(60) < rng.integers(5, 30)
        estimate = Resamples(60, event=few).estimate(statistics.mean(rng.normal(shift, 1, 60)))
        low, high = estimate.interval
        if not 0.04 < estimate.p < 0.06:
            assert (estimate.p < 0.05) == (low > 0 or high < 0)


def test_a_large_difference_is_told_from_chance_among_twenty_with_ten_events_too() -> None:
    """The smallest tail that 2,000 draws can show, 1 in 1,000, would be 0.012 of ten events, and 0.23 of twenty comparisons."""
    values = np.random.default_rng(8).normal(1, 1, 60)
    ten, all_of_them = (
        Resamples(60, event=event).estimate(statistics.mean(values)).p for event in (np.arange(60) < 10, None)
    )
    assert all_of_them < ten < 0.05 / 20
    # Where all draws are the same, nothing says how far the truth may lie from them.
    assert Resamples(60, event=np.arange(60) < 10).estimate(statistics.mean(np.ones(60))).p > 0.01


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


def test_every_other_share_has_wilsons_interval_too() -> None:
    """3 of 14: 0.08 to 0.48, where the percentiles of resamples end at 0.00 or 0.07."""
    hit, among = np.arange(70) < 3, np.arange(70) < 14
    assert Resamples(70).estimate(Share(hit, among)).interval == pytest.approx((0.0757, 0.4759), abs=1e-4)


def forecasts(event: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Of a model that is calibrated where one in five has the event: its scores lie 1.2 standard deviations apart."""
    score = rng.normal(1.2 * event)
    odds = 0.25 * np.exp(1.2 * score - 0.72)
    probability: np.ndarray = odds / (1 + odds)
    return probability


def test_with_about_fourteen_events_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Plain percentiles of the same resamples hold the AUROC in 277 of these 300 studies, and the Brier score in 278."""
    rng = np.random.default_rng(5)
    many = rng.random(200_000) < 0.2
    truth = {"auroc": 0.8019, "brier": float(np.mean((forecasts(many, rng) - many) ** 2))}
    held = dict.fromkeys(truth, 0)
    for seed in range(300):
        event = rng.random(70) < 0.2
        p = forecasts(event, rng)
        resamples = Resamples(70, draws=400, seed=seed, event=event)
        both = {"auroc": statistics.auroc(p, event), "brier": statistics.brier(p, event)}
        for name, statistic in both.items():
            low, high = resamples.estimate(statistic).interval
            held[name] += low <= truth[name] <= high
    assert all(281 <= count <= 297 for count in held.values())  # 95 % are 285; binomial error 4


def test_of_events_and_others_the_rarer_ones_say_how_wide() -> None:
    values, event = np.random.default_rng(6).normal(size=100), np.arange(100) < 5
    plain, rare, common = (
        Resamples(100, event=each).estimate(statistics.mean(values)).interval
        for each in (None, event, ~event)
    )
    assert rare == common
    assert rare[1] - rare[0] > 1.2 * (plain[1] - plain[0])
    # Of one outcome alone no number hangs on how it was foretold.
    assert Resamples(100, event=np.zeros(100, bool)).estimate(statistics.mean(values)).interval == plain


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
