"""training.metrics: each number against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import (
    auroc,
    brier,
    calibration_line,
    negative_log_likelihood,
    quadratic_weighted_kappa,
)

pairs = st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=60)


@given(pairs)
def test_auroc_is_the_share_of_rightly_ordered_pairs(cases: list[tuple[int, bool]]) -> None:
    score = np.array([value for value, _ in cases], dtype=float)
    event = np.array([truth for _, truth in cases])
    ordered = [float(a > b) + 0.5 * float(a == b) for a in score[event] for b in score[~event]]
    expected = np.mean(ordered) if ordered else float("nan")
    assert auroc(score, event) == pytest.approx(expected, nan_ok=True)


@given(pairs)
def test_auroc_does_not_change_when_scores_are_transformed_monotonically(
    cases: list[tuple[int, bool]],
) -> None:
    score = np.array([value for value, _ in cases], dtype=float)
    event = np.array([truth for _, truth in cases])
    assert auroc(np.exp(score) * 3 - 1, event) == pytest.approx(auroc(score, event), nan_ok=True)


def test_a_calibrated_probability_has_slope_one_and_intercept_zero() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.02, 0.98, 40_000)
    slope, intercept = calibration_line(p, rng.random(40_000) < p)
    assert slope == pytest.approx(1, abs=0.03)
    assert intercept == pytest.approx(0, abs=0.03)


def test_an_overconfident_probability_has_a_slope_below_one() -> None:
    rng = np.random.default_rng(1)
    logit = rng.normal(0, 1, 20_000)
    event = rng.random(20_000) < 1 / (1 + np.exp(-logit))
    slope, _ = calibration_line(1 / (1 + np.exp(-2 * logit)), event)
    assert slope == pytest.approx(0.5, abs=0.05)


def test_brier_and_nll_are_zero_for_a_certain_and_right_answer() -> None:
    event = np.array([True, False])
    assert brier(event.astype(float), event) == 0
    assert negative_log_likelihood(np.eye(2), np.array([0, 1])) == 0


def test_kappa_is_one_for_agreement_and_punishes_far_misses_more() -> None:
    label = np.array([0, 1, 2, 3, 4, 0, 4])
    near, far = label.copy(), label.copy()
    near[0], far[0] = 1, 4
    assert quadratic_weighted_kappa(label, label, 5) == pytest.approx(1)
    assert quadratic_weighted_kappa(far, label, 5) < quadratic_weighted_kappa(near, label, 5) < 1
