"""training.evaluation.statistics: each number equals its definition, with weights as with repeated patients."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.linear_model import LogisticRegression

from training.evaluation import statistics
from training.evaluation.bootstrap import Resamples, Share, Statistic


def value(statistic: Statistic, n: int) -> float:
    return float(statistic(np.ones((1, n)))[0])


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, and outcomes of both kinds."""
    n = draw(st.integers(4, 40))
    score = np.array(draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))) / 10
    event = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    event[:2] = [True, False]
    return score, event


@given(scored())
def test_auroc_is_that_of_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    score, event = case
    assert value(statistics.auroc(score, event), len(score)) == pytest.approx(
        reference.roc_auc_score(event, score)
    )


@given(scored())
def test_average_precision_is_that_of_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    score, event = case
    assert value(statistics.average_precision(score, event), len(score)) == pytest.approx(
        reference.average_precision_score(event, score)
    )


def _kappa(score: np.ndarray, event: np.ndarray) -> Statistic:
    return statistics.quadratic_weighted_kappa((score * 4).astype(int), event.astype(int) * 2, 4)


@pytest.mark.parametrize(
    "make",
    [
        statistics.auroc,
        statistics.average_precision,
        statistics.brier,
        statistics.brier_skill,
        statistics.calibration_slope,
        statistics.calibration_intercept,
        _kappa,
    ],
    ids=lambda make: make.__name__,
)
def test_a_weight_of_three_is_a_patient_seen_three_times(
    make: Callable[[np.ndarray, np.ndarray], Statistic],
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        score, counts = rng.integers(1, 20, 60) / 20, rng.integers(0, 4, 60)
        event = rng.random(60) < score
        weighted = make(score, event)(counts[None].astype(float))[0]
        repeated = value(make(np.repeat(score, counts), np.repeat(event, counts)), counts.sum())
        assert weighted == pytest.approx(repeated, abs=1e-6)


def test_the_calibration_line_is_the_logistic_regression_on_the_logit() -> None:
    rng = np.random.default_rng(1)
    logit = rng.normal(0, 1.5, 500)
    event = rng.random(500) < 1 / (1 + np.exp(-(0.7 * logit + 0.4)))
    fit = LogisticRegression(C=np.inf).fit(logit[:, None], event)
    slope = statistics.calibration_slope(1 / (1 + np.exp(-logit)), event)
    assert value(slope, 500) == pytest.approx(float(fit.coef_[0, 0]), abs=1e-3)


def test_calibration_in_the_large_makes_the_mean_probability_the_prevalence() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.02, 0.98, 300)
    event = rng.random(300) < 0.7
    shift = value(statistics.calibration_intercept(p, event), 300)
    assert np.mean(1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))) == pytest.approx(event.mean())


def test_the_same_probability_for_everyone_has_no_slope() -> None:
    assert np.isnan(value(statistics.calibration_slope(np.full(10, 0.3), np.arange(10) < 3), 10))


def test_a_separated_outcome_gives_a_steep_slope_and_no_error() -> None:
    p = np.array([0.2, 0.3, 0.6, 0.7])
    assert value(statistics.calibration_slope(p, p > 0.5), 4) > 10


def test_the_ranked_probability_score_of_a_known_case() -> None:
    """Grades 1 to 3, truth 3, forecast (0.2, 0.3, 0.5): cumulative 0.2, 0.5 against 0, 0; (0.04 + 0.25) / 2 = 0.145."""
    p, label = np.array([[0.2, 0.3, 0.5]]), np.array([2])
    assert value(statistics.ranked_probability_score(p, label), 1) == pytest.approx(0.145)


@given(label=st.integers(0, 4))
def test_the_ranked_probability_score_is_zero_for_certainty_and_one_for_the_far_end(label: int) -> None:
    certain = np.eye(5)[[label]]
    assert value(statistics.ranked_probability_score(certain, np.array([label])), 1) == 0
    wrong = np.eye(5)[[0 if label == 4 else 4]]
    worst = value(statistics.ranked_probability_score(wrong, np.array([label])), 1)
    assert worst == pytest.approx(max(label, 4 - label) / 4 if label in (0, 4) else (4 - label) / 4)


def test_kappa_is_that_of_scikit_learn_and_of_cohen() -> None:
    """Cohen's own form: observed (20, 5 / 10, 15) of 50 gives kappa 0.4."""
    label = np.repeat([0, 0, 1, 1], [20, 5, 10, 15])
    predicted = np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    assert value(statistics.quadratic_weighted_kappa(predicted, label, 2), 50) == pytest.approx(0.4)
    rng = np.random.default_rng(3)
    label, predicted = rng.integers(0, 5, (2, 80))
    assert value(statistics.quadratic_weighted_kappa(predicted, label, 5), 80) == pytest.approx(
        reference.cohen_kappa_score(label, predicted, weights="quadratic")
    )


def test_the_prevalence_has_no_skill_and_certainty_has_all() -> None:
    event = np.arange(10) < 3
    assert value(statistics.brier_skill(np.full(10, 0.3), event), 10) == pytest.approx(0)
    assert value(statistics.brier_skill(event.astype(float), event), 10) == 1


@pytest.mark.parametrize("outcome", [True, False])
def test_of_one_outcome_alone_there_is_no_calibration_and_of_events_alone_no_precision(outcome: bool) -> None:
    p, event = np.linspace(0.1, 0.9, 10), np.full(10, outcome)
    for make in (
        statistics.calibration_slope,
        statistics.calibration_intercept,
        statistics.average_precision,
    ):
        assert np.isnan(value(make(p, event), 10))


def test_a_probability_of_none_or_all_has_finite_log_odds() -> None:
    logits = statistics.logits_of(np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(logits).all()
    assert logits[1] == 0
    assert logits[0] == pytest.approx(-logits[2], rel=1e-3)


def test_balanced_accuracy_is_the_mean_of_sensitivity_and_specificity() -> None:
    """Of 4 events 3 are found, of 10 others 6 are passed over: (0.75 + 0.6) / 2."""
    event = np.arange(14) < 4
    called = np.isin(np.arange(14), [0, 1, 2, 4, 5, 6, 7])
    sensitivity, specificity = Share(called, event), Share(~called, ~event)
    assert value(statistics.balanced_accuracy(sensitivity, specificity), 14) == pytest.approx(0.675)


def test_two_models_are_subtracted_and_divided_on_the_same_resample() -> None:
    first, second = (statistics.mean(np.array(values)) for values in ([5.0, 9.0], [1.0, 4.0]))
    twice = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert statistics.difference(first, second)(twice).tolist() == [4, 5]
    assert statistics.quotient(first, second)(twice).tolist() == [5, 2.25]


def test_a_mean_over_models_leaves_out_the_model_that_has_no_number() -> None:
    known, unknown = statistics.mean(np.array([1.0, 3.0])), statistics.mean(np.array([np.nan, np.nan]))
    assert value(statistics.averaged([known, unknown]), 2) == 2


def interval(statistic: Statistic, n: int) -> tuple[float, float]:
    return Resamples(n, draws=40).estimate(statistic).interval


def test_a_perfect_number_of_few_patients_is_not_claimed_to_be_certain() -> None:
    """Of 8 patients told right, or 8 events that all come first, 32 % of the others may yet be missed (Wilson)."""
    label, unseen = np.arange(16) // 2 % 4, 1.959964**2 / (8 + 1.959964**2)
    score, event = np.arange(16.0), np.arange(16) >= 8
    assert interval(statistics.average_precision(score, event), 16) == pytest.approx((1 - unseen, 1))
    few = label[:8]
    kappa = statistics.quadratic_weighted_kappa(few, few, 4)
    assert interval(kappa, 8) == pytest.approx((1 - unseen, 1))
    # Two patients in each of four classes lie 1.25 apart by chance.
    assert interval(statistics.absolute_error(few, few), 8) == pytest.approx((0, 1.25 * unseen))
    assert interval(statistics.averaged([kappa, kappa]), 8) == pytest.approx((1 - unseen, 1))


def test_no_other_number_is_taken_for_a_perfect_one() -> None:
    """A model that names one class for all has kappa 0, and one that is always a class off an error of 1."""
    label, other = np.arange(16) // 4, (np.arange(16) // 4 + np.where(np.arange(16) < 8, 1, -1)) % 4
    same = np.zeros(16, dtype=np.int64)
    assert interval(statistics.quadratic_weighted_kappa(same, label, 4), 16) == (0, 0)
    assert interval(statistics.absolute_error(other, label), 16) == (1, 1)


def test_an_auroc_of_one_leaves_open_what_its_pairs_do_not_show() -> None:
    """It is the root of the score equation with the variance of Hanley and McNeil (1982), and shrinks with the patients."""
    for events, others in ((1, 1), (4, 4), (3, 9), (50, 200)):
        area = 1 - statistics.unseen_of_pairs(events, others)
        more = (events + others) / 2 - 1
        spread = area * (1 - area) * (1 + more * ((1 - area) / (2 - area) + area / (1 + area)))
        assert 1 - area == pytest.approx(1.959964 * (spread / (events * others)) ** 0.5)
    assert statistics.unseen_of_pairs(4, 4) > 0.3 > statistics.unseen_of_pairs(20, 20) > 0.05
    assert statistics.unseen_of_pairs(0, 4) == 1
