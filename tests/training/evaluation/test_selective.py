"""training.evaluation.selective: leaving out the least sure leaves less error, if sureness means something."""

import numpy as np
import pytest

from tests.training.evaluation.support import ordinal_predictions
from training.calibrate import Scaling
from training.evaluation.answers import Answers, answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.selective import ANSWERED, judge_selective, risk


def test_risk_over_everyone_is_the_brier_score_and_less_among_the_sure() -> None:
    model = answers(ordinal_predictions(2000, 1), Scaling(1.0, 0.0))
    curve = judge_selective(model, Resamples(len(model), draws=50)).risk
    assert curve.x == tuple(ANSWERED.tolist())
    assert curve.y[-1] == pytest.approx(float(np.mean((model.event_probability - model.event) ** 2)))
    assert curve.y[5] < curve.y[10] < curve.y[-1]


def test_risk_of_a_known_order() -> None:
    """Ten forecasts, surest first: 0.99 nine times right, then 0.5. A tenth of the patients carries all the error."""
    p = np.r_[np.full(9, 0.99), 0.5]
    model = Answers(
        ("x",) * 10, np.ones(10, dtype=np.int64), np.stack([1 - p, p], axis=1), np.full(10, np.nan)
    )
    found = dict(zip(ANSWERED.tolist(), risk(model)(np.ones((1, 10)))[0], strict=True))
    assert found[0.9] == pytest.approx(0.0001)
    assert found[1.0] == pytest.approx((9 * 0.0001 + 0.25) / 10)


@pytest.mark.parametrize("first", [True, False])
def test_equally_sure_patients_count_alike_wherever_they_stand_in_the_table(first: bool) -> None:
    """The prevalence for all, as for patients of one score: a table with its events on top must not have them answered first."""
    event = np.sort(np.arange(10) < 3)[:: -1 if first else 1].astype(np.int64)
    p = np.full(10, 0.3)
    model = Answers(("x",) * 10, event, np.stack([1 - p, p], axis=1), np.full(10, np.nan))
    np.testing.assert_allclose(risk(model)(np.ones((1, 10))), 0.3 * 0.7)
    drawn = np.random.default_rng(0).multinomial(10, np.full(10, 0.1), size=5).astype(float)
    brier = (drawn @ (p - event) ** 2) / 10
    np.testing.assert_allclose(risk(model)(drawn), np.tile(brier[:, None], len(ANSWERED)))
