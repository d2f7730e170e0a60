"""training.evaluation.decision: net benefit by its formula, and against acting on all or none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.evaluation.support import ordinal_predictions
from training.calibrate import Scaling
from training.evaluation.answers import Answers, answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.decision import THRESHOLDS, decision_statistics, judge_decision, net_benefit


@given(events=st.integers(0, 50))
def test_acting_on_all_is_worth_the_prevalence_less_the_priced_rest(events: int) -> None:
    """prevalence - (1 - prevalence) t / (1 - t) (Vickers and Elkin 2006)."""
    prevalence = events / 50
    found = net_benefit(np.ones(50), np.arange(50) < events)(np.ones((1, 50)))[0]
    expected = prevalence - (1 - prevalence) * THRESHOLDS / (1 - THRESHOLDS)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_net_benefit_of_a_known_table() -> None:
    """At 0.25, 30 of 100 are true and 20 false positives: 0.30 - 0.20 / 3 = 0.2333."""
    p = np.repeat([0.9, 0.9, 0.1], [30, 20, 50])
    event = np.repeat([True, False, False], [30, 20, 50])
    found = net_benefit(p, event, np.array([0.25]))(np.ones((1, 100)))[0, 0]
    assert found == pytest.approx(0.30 - 0.20 / 3)


def test_no_strategy_is_worth_more_than_finding_every_event_and_the_perfect_one_is() -> None:
    event = np.arange(40) < 12
    perfect = net_benefit(event.astype(float), event)(np.ones((1, 40)))[0]
    np.testing.assert_allclose(perfect, 0.3)


def test_an_honest_model_is_not_worse_than_all_or_none_and_rivals_stand_beside_it() -> None:
    model, poor = (
        answers(ordinal_predictions(3000, 2, noise=noise), Scaling(1.0, 0.0)) for noise in (0.0, 3.0)
    )
    found = judge_decision(model, {"poor": poor}, Resamples(len(model), draws=100))
    assert set(found.strategies) == {"model", "all", "none", "poor"}
    best = np.maximum(found.strategies["all"].y, 0)
    assert (np.array(found.strategies["model"].y) >= best - 0.02).all()
    assert np.mean(found.strategies["model"].y) > np.mean(found.strategies["poor"].y)
    assert [gain.name for gain in found.gains][:2] == ["net_benefit_gain_at_10", "net_benefit_gain_at_20"]
    assert any(gain.low > 0 for gain in found.gains)


def _binary(p: np.ndarray, event: np.ndarray) -> Answers:
    return Answers(
        ("x",) * len(p), event.astype(np.int64), np.stack([1 - p, p], axis=1), np.full(len(p), np.nan)
    )


@pytest.mark.parametrize(
    ("treated", "name", "gain"),
    [(False, "net_benefit_gain_at_10", 6 / 200 / 9), (True, "net_benefit_gain_at_70", 6 / 200)],
)
def test_six_patients_treated_otherwise_without_a_mistake_do_not_prove_a_gain(
    treated: bool, name: str, gain: float
) -> None:
    """Spared and without the event, or acted upon and with it, in every resample; of six others two may yet be the other way (Wilson)."""
    few, event = np.arange(200) < 6, np.arange(200) % 2 == 0
    event[few] = treated
    p = np.where(few, 0.9 if treated else 0.05, 0.5)
    found = Resamples(200).estimate(decision_statistics(_binary(p, event))[name])
    low, high = found.interval
    assert found.value == pytest.approx(gain)
    assert found.draws.min() >= 0
    assert low < 0 < gain < high


def test_intervals_of_a_gain_hold_the_truth_as_often_as_they_say() -> None:
    """At a threshold that few patients lie below: they held it 71 times in a hundred while the patients themselves were all that was asked."""
    rng, name = np.random.default_rng(5), "net_benefit_gain_at_10"
    whole = 1 / (1 + np.exp(-rng.normal(0, 1.5, 400_000)))
    # Spared below 0.1: an event lost, a false alarm saved.
    truth = float(np.mean((whole < 0.1) * ((1 - whole) / 9 - whole)))
    held = 0
    for _ in range(100):
        p = rng.choice(whole, 200)
        model = _binary(p, rng.random(200) < p)
        low, high = Resamples(200, draws=300).estimate(decision_statistics(model)[name]).interval
        held += low <= truth <= high
    assert held >= 90
