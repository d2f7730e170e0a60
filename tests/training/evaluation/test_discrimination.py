"""training.evaluation.discrimination: curves are those of scikit-learn, the operating point comes from validation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from tests.training.evaluation.support import ordinal_predictions
from training.calibrate import Scaling
from training.evaluation.answers import Answers, answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.discrimination import (
    GRID,
    discrimination_statistics,
    judge_discrimination,
    precision_recall,
    roc,
    youden_threshold,
)


def binary(p: list[float] | np.ndarray, event: list[int] | np.ndarray) -> Answers:
    p = np.asarray(p, np.float64)
    return Answers(
        tuple(map(str, range(len(p)))),
        np.asarray(event, np.int64),
        np.stack([1 - p, p], axis=1),
        np.full(len(p), np.nan),
    )


@given(st.integers(0, 999))
def test_the_curves_pass_through_scikit_learns_points(seed: int) -> None:
    """Where its exact points fall on the grid, ours has the same height (ties included)."""
    rng = np.random.default_rng(seed)
    p, event = rng.integers(0, 10, 40) / 10, np.r_[np.ones(20), np.zeros(20)].astype(int)
    ones = np.ones((1, 40))
    false, true, _ = reference.roc_curve(event, p, drop_intermediate=False)
    heights = roc(binary(p, event))(ones)[0]
    for at, height in zip(GRID, heights, strict=True):
        assert height == pytest.approx(true[false <= at + 1e-9].max())
    precision, recall, _ = reference.precision_recall_curve(event, p)
    ours = precision_recall(binary(p, event))(ones)[0]
    for at, height in zip(GRID[1:], ours[1:], strict=True):
        reached = recall[recall >= at - 1e-9].min()
        assert height == pytest.approx(precision[recall == reached].max())


def test_the_operating_point_lies_between_the_two_probabilities_it_parts() -> None:
    assert youden_threshold(binary([0.1, 0.2, 0.7, 0.9], [0, 0, 1, 1])) == pytest.approx(0.45)
    assert youden_threshold(binary([0.1, 0.2], [0, 0])) == 0.5


def test_sensitivity_and_specificity_of_a_known_table() -> None:
    """8 of 10 events at or above 0.5, 15 of 20 non-events below: 0.8, 0.75, balanced 0.775."""
    model = binary(np.repeat([0.9, 0.1, 0.9, 0.1], [8, 2, 5, 15]), np.repeat([1, 1, 0, 0], [8, 2, 5, 15]))
    found = {
        name: statistic(np.ones((1, 30)))[0]
        for name, statistic in discrimination_statistics(model, 0.5).items()
    }
    assert found["sensitivity"] == pytest.approx(0.8)
    assert found["specificity"] == pytest.approx(0.75)
    assert found["balanced_accuracy"] == pytest.approx(0.775)
    assert "quadratic_weighted_kappa" not in found  # two classes have no order
    assert "auroc_attainable" not in found  # nobody knows the truth


def test_eight_patients_told_apart_without_a_mistake_prove_no_perfect_model() -> None:
    """Every resample repeats the 1, and the interval of the percentiles would be 1.00 to 1.00."""
    model = binary([0.1, 0.2, 0.2, 0.3, 0.6, 0.7, 0.8, 0.9], np.repeat([0, 1], 4))
    for flipped, ends in ((False, (0.58, 1)), (True, (0, 0.42))):
        given = binary(1 - model.event_probability, model.label) if flipped else model
        found = {m.name: m for m in Resamples(8).metrics(discrimination_statistics(given, 0.5))}
        assert (found["auroc"].low, found["auroc"].high) == pytest.approx(ends, abs=0.01)
        balanced = found["balanced_accuracy"]
        assert balanced.high - balanced.low == pytest.approx(0.35, abs=0.01)


def test_grades_are_counted_by_what_they_were_and_what_was_most_likely() -> None:
    model = answers(ordinal_predictions(400, 1), Scaling(1.0, 0.0))
    found = judge_discrimination(model, 0.5, Resamples(len(model), draws=50))
    table = np.array(found.confusion)
    assert table.sum() == 400
    np.testing.assert_array_equal(table.sum(axis=1), np.bincount(model.label, minlength=5))
    np.testing.assert_array_equal(
        table, reference.confusion_matrix(model.label, model.most_likely, labels=range(5))
    )
    assert (np.diff(found.roc.y) >= 0).all()
    assert all(low <= high for low, high in zip(found.roc.low, found.roc.high, strict=True))


@pytest.mark.parametrize("outcome", [0, 1])
def test_a_split_with_one_outcome_has_no_curves_no_area_and_breaks_nothing(outcome: int) -> None:
    model = binary([0.2, 0.4, 0.6], [outcome] * 3)
    resamples = Resamples(len(model), draws=10)
    found = judge_discrimination(model, 0.5, resamples)
    assert found.roc.x == found.precision_recall.x == ()
    named = {metric.name for metric in resamples.metrics(discrimination_statistics(model, 0.5))}
    assert named == {"sensitivity" if outcome else "specificity"}


def test_ten_events_that_were_all_found_leave_balanced_accuracy_as_open_as_their_sensitivity() -> None:
    """Every resample finds them all, so its percentiles would tell of the 200 others alone: 0.93 to 0.97."""
    model = binary(np.repeat([0.9, 0.9, 0.1], [10, 20, 180]), np.repeat([1, 0, 0], [10, 20, 180]))
    found = {m.name: m for m in Resamples(210).metrics(discrimination_statistics(model, 0.5))}
    balanced, sensitivity = found["balanced_accuracy"], found["sensitivity"]
    assert sensitivity.low == pytest.approx(0.722, abs=1e-3)
    assert balanced.low == pytest.approx(0.95 - (0.139**2 + 0.02**2) ** 0.5, abs=0.005)
    assert balanced.high < 0.98


def test_naming_everyone_proves_no_balanced_accuracy_of_one_half() -> None:
    model = binary(np.full(30, 0.9), np.arange(30) < 10)
    found = {m.name: m for m in Resamples(30).metrics(discrimination_statistics(model, 0.5))}
    balanced = found["balanced_accuracy"]
    assert balanced.value == 0.5
    assert 0.5 - balanced.low == pytest.approx((1 - found["sensitivity"].low) / 2)
    assert balanced.high - 0.5 == pytest.approx(found["specificity"].high / 2)
