"""training.evaluation.decision: net benefit by its formula, and against acting on all or none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.evaluation.support import ordinal_predictions
from training.calibrate import Scaling
from training.evaluation.answers import answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.decision import THRESHOLDS, judge_decision, net_benefit


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
