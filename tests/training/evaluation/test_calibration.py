"""training.evaluation.calibration: the curve follows the truth, bins hold everyone, errors are those planted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from tests.training.evaluation.support import ordinal_predictions
from training.calibrate import Scaling
from training.evaluation.answers import Answers, answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.calibration import (
    calibration_metrics,
    expected_calibration_error,
    flexible_curve,
    judge_calibration,
)


def given_answers(n: int, seed: int, sharpness: float = 1.0) -> Answers:
    return answers(ordinal_predictions(n, seed, sharpness=sharpness), Scaling(1.0, 0.0))


def resamples(model: Answers, draws: int = 200) -> Resamples:
    return Resamples(len(model), draws)


def test_the_band_of_an_honest_model_holds_the_diagonal() -> None:
    """Pointwise 95 %: over 30 models, most of the places must hold it."""
    inside = []
    for seed in range(30):
        model = given_answers(400, seed)
        curve = judge_calibration(model, resamples(model)).curve
        x, low, high = (np.array(each) for each in (curve.x, curve.low, curve.high))
        inside.append(((low <= x) & (x <= high)).mean())
    assert np.mean(inside) > 0.85


def test_the_curve_finds_a_bend_that_no_line_could() -> None:
    """Frequencies of 0.5 between forecasts of 0.2 and 0.8, and the forecast itself beyond."""
    rng = np.random.default_rng(1)
    p = rng.uniform(0.02, 0.98, 6000)
    frequency = np.where((p > 0.2) & (p < 0.8), 0.5, p)
    event = rng.random(6000) < frequency
    at = np.array([0.05, 0.4, 0.6, 0.95])
    height = flexible_curve(p, event, at)(np.ones((1, 6000)))[0]
    np.testing.assert_allclose(height, [0.05, 0.5, 0.5, 0.95], atol=0.08)


def test_the_bins_hold_equally_many_and_their_intervals_the_frequency() -> None:
    model = given_answers(500, 2)
    found = judge_calibration(model, resamples(model))
    assert len(found.bins.x) == 10
    assert all(
        low <= y <= high for low, y, high in zip(found.bins.low, found.bins.y, found.bins.high, strict=True)
    )
    assert np.mean(found.bins.y) == pytest.approx(model.event.mean())
    size = len(model) // 10
    for low, y, high in zip(found.bins.low, found.bins.y, found.bins.high, strict=True):
        wilson = binomtest(round(y * size), size).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((wilson.low, wilson.high), abs=1e-6)
    assert sum(found.counts) == 500
    assert len(found.counts) == 20


@given(st.floats(0.05, 0.95), st.integers(0, 60))
def test_the_error_of_one_forecast_for_all_is_its_distance_from_the_prevalence(
    forecast: float, events: int
) -> None:
    event = np.arange(60) < events
    found = expected_calibration_error(np.full(60, forecast), event)(np.ones((1, 60)))[0]
    assert found == pytest.approx(abs(forecast - events / 60), abs=1e-9)


def test_overconfidence_shows_in_slope_skill_and_error() -> None:
    honest, sure = (
        {m.name: m for m in calibration_metrics(model, resamples(model))}
        for model in (given_answers(2000, 4), given_answers(2000, 4, sharpness=2.5))
    )
    assert honest["calibration_slope"].value == pytest.approx(1, abs=0.15)
    assert sure["calibration_slope"].high < 0.7
    assert sure["ece"].value > honest["ece"].value
    assert sure["brier_skill"].value < honest["brier_skill"].value
    assert honest["ece"].low <= honest["ece"].value <= honest["ece"].high


@pytest.mark.parametrize("n", [30, 300, 3000])
def test_the_error_of_an_honest_model_is_told_beside_what_chance_alone_gives(n: int) -> None:
    """The fewer cases, the larger, without any fault: 0.2 of 30 cases. A model that is far too sure stands out all the same."""
    numbers = [
        {m.name: m for m in calibration_metrics(model, resamples(model))}
        for model in (given_answers(n, 9), given_answers(n, 9, sharpness=4))
    ]
    honest, sure = ((each["ece"].value, each["ece_by_chance"]) for each in numbers)
    assert honest[1].low <= honest[0] <= honest[1].high
    assert honest[1].value == pytest.approx(1.1 / n**0.5, rel=0.3)
    assert sure[0] > sure[1].high


def test_forecasts_that_are_all_alike_have_no_curve_and_break_nothing() -> None:
    model = Answers(("a",) * 20, np.arange(20) % 2, np.full((20, 2), 0.5), np.full(20, np.nan))
    found = judge_calibration(model, resamples(model))
    assert found.curve.x == ()
    assert "calibration_slope" not in {m.name for m in calibration_metrics(model, resamples(model))}


@pytest.mark.parametrize("outcome", [0, 1])
def test_of_one_outcome_alone_there_is_no_line_and_no_curve(outcome: int) -> None:
    p = np.linspace(0.1, 0.9, 20)
    model = Answers(("a",) * 20, np.full(20, outcome), np.stack([1 - p, p], axis=1), np.full(20, np.nan))
    assert judge_calibration(model, resamples(model)).curve.x == ()
    named = {metric.name for metric in calibration_metrics(model, resamples(model))}
    assert named == {"brier", "nll", "ece", "ece_by_chance"}
