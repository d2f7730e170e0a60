"""training.metrics: each number against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import auroc, negative_log_likelihood

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


def test_nll_is_zero_for_a_certain_and_right_answer() -> None:
    assert negative_log_likelihood(np.eye(2), np.array([0, 1])) == 0
