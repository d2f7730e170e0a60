"""training.evaluation.sets: sets cover what they promise, for every class, whatever the model's faults."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.training.evaluation.support import ordinal_predictions
from training.calibrate import Scaling
from training.evaluation.answers import answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.sets import METHOD, ClassThresholds, fewest_cases, fit_thresholds, judge_sets
from training.evaluation.subgroups import Subgroup

AS_IT_IS = Scaling(slope=1.0, intercept=0.0)


def covered(classes: int, sharpness: float, calibration: int, draws: int) -> np.ndarray:
    """Coverage of [draws, everyone and each class] on fresh patients, of a model that is unsure by the factor `sharpness`."""
    rows = []
    for seed in range(draws):
        model = answers(
            ordinal_predictions(calibration + 2000, seed, noise=0.7, sharpness=sharpness, classes=classes),
            AS_IT_IS,
        )
        first = np.arange(len(model)) < calibration
        held, new = model.take(first), model.take(~first)
        sets = fit_thresholds(held.probabilities, held.label).members(new.probabilities)
        hit = sets[np.arange(len(new)), new.label]
        rows.append([hit.mean(), *(hit[new.label == k].mean() for k in range(classes))])
    return np.array(rows)


@pytest.mark.parametrize(
    ("classes", "sharpness"), [(2, 0.5), (2, 1.0), (2, 2.5), (4, 1.0), (4, 2.5), (5, 1.0), (5, 2.5)]
)
def test_coverage_is_within_two_points_of_nominal_overall_and_in_every_class(
    classes: int, sharpness: float
) -> None:
    """Means over 40 calibration samples of 600: binomial error about half a point. A class of 60 cases may gain 1.6 points."""
    mean = covered(classes, sharpness, calibration=600, draws=40).mean(axis=0)
    assert mean == pytest.approx(np.full(classes + 1, 0.905), abs=0.02)


def test_few_calibration_cases_cover_more_and_never_less() -> None:
    mean = covered(5, 1.0, calibration=60, draws=60).mean(axis=0)
    assert (mean[1:] > 0.88).all()
    assert mean[0] < 0.97


def test_a_change_of_prevalence_leaves_the_coverage_of_each_class() -> None:
    """Half of the good outcomes are lost on the way: a threshold shared by all classes would drift, these do not."""
    model = answers(ordinal_predictions(9000, 3, noise=0.7), AS_IT_IS)
    first = np.arange(9000) < 3000
    rng = np.random.default_rng(0)
    fewer = ~first & ((model.label < 3) | (rng.random(9000) < 0.5))
    held, new = model.take(first), model.take(fewer)
    hit = fit_thresholds(held.probabilities, held.label).members(new.probabilities)[
        np.arange(len(new)), new.label
    ]
    for k in range(5):
        assert hit[new.label == k].mean() == pytest.approx(0.9, abs=0.04)


@given(
    p=hnp.arrays(np.float64, (30, 5), elements=st.floats(1e-3, 1)).map(
        lambda p: p / p.sum(axis=1, keepdims=True)
    ),
    label=hnp.arrays(np.int64, 30, elements=st.integers(0, 4)),
    coverage=st.sampled_from([0.5, 0.8, 0.9, 0.95]),
)
@settings(max_examples=60)
def test_on_the_calibration_cases_themselves_the_promise_is_kept_exactly(
    p: np.ndarray, label: np.ndarray, coverage: float
) -> None:
    fitted = fit_thresholds(p, label, coverage)
    hit = fitted.members(p)[np.arange(30), label]
    assert all(0 <= threshold <= 1 for threshold in fitted.thresholds)
    assert sum(fitted.cases) == 30
    assert hit.mean() >= coverage - 1e-9


def test_nine_cases_are_the_fewest_that_can_promise_ninety_percent() -> None:
    assert [fewest_cases(coverage) for coverage in (0.5, 0.8, 0.9, 0.95)] == [1, 4, 9, 19]


def test_the_threshold_of_nine_cases_is_the_least_of_them() -> None:
    p = np.linspace(0.05, 0.45, 9)
    many = np.linspace(0.5, 0.99, 200)
    probabilities = np.r_[np.stack([1 - p, p], axis=1), np.stack([many, 1 - many], axis=1)]
    label = np.r_[np.ones(9), np.zeros(200)].astype(int)
    assert fit_thresholds(probabilities, label).thresholds[1] == pytest.approx(0.05)


def test_classes_with_too_few_cases_share_a_threshold_or_are_always_in() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5), 100)
    shared = fit_thresholds(p, np.r_[np.zeros(80), np.full(6, 1), np.full(6, 2), np.full(8, 4)].astype(int))
    assert shared.thresholds[1] == shared.thresholds[2] == shared.thresholds[4] > 0
    assert shared.always_in == ()
    alone = fit_thresholds(p, np.r_[np.zeros(95), np.full(5, 1)].astype(int))
    assert alone.always_in == (1, 2, 3, 4)
    assert alone.members(p)[:, 1:].all()


def test_two_classes_of_nine_cases_each_have_thresholds_of_their_own() -> None:
    low, high = np.linspace(0.05, 0.45, 9), np.linspace(0.3, 0.45, 9)
    rest = np.full(200, 0.01)
    p = np.r_[
        np.stack([low, 0.01 + 0 * low, 0.99 - low], axis=1),
        np.stack([0.01 + 0 * high, high, 0.99 - high], axis=1),
        np.stack([rest, rest, 1 - 2 * rest], axis=1),
    ]
    fitted = fit_thresholds(p, np.repeat([0, 1, 2], [9, 9, 200]))
    assert fitted.thresholds[0] != fitted.thresholds[1]
    assert fitted.together == ()


def test_classes_that_keep_the_promise_only_together_are_named() -> None:
    """Of one of them far fewer may be covered, and whoever reads "conditional on the class" would not guess it."""
    given_answers = answers(ordinal_predictions(300, 1), AS_IT_IS)
    titles = ("a", "b", "c", "d", "e")

    def method(cases: tuple[int, ...]) -> str:
        resamples = Resamples(len(given_answers), draws=20)
        return judge_sets(given_answers, ClassThresholds((0.1,) * 5, cases, 0.9), resamples, titles).method

    assert method((6, 50, 3, 50, 50)).endswith(
        "only together, by one threshold, for want of calibration cases: a, c"
    )
    assert method((50, 50, 9, 50, 50)) == METHOD


def test_a_model_that_is_always_right_names_one_class() -> None:
    label = np.arange(100) % 5
    sure = 0.9 * np.eye(5)[label] + 0.02
    assert (fit_thresholds(sure, label).members(sure).sum(axis=1) == 1).all()


def test_coverage_is_reported_per_class_and_subgroup_and_small_groups_get_no_number() -> None:
    given_answers = answers(ordinal_predictions(300, 1), AS_IT_IS)
    fitted = ClassThresholds((0.0,) * 5, (3, 50, 50, 50, 50), 0.9)
    few = Subgroup("site", "small", np.arange(300) < 4)
    found = judge_sets(
        given_answers,
        fitted,
        Resamples(len(given_answers), draws=20),
        ("a", "b", "c", "d", "e"),
        [few],
    )
    assert [group.level for group in found.groups] == ["a", "b", "c", "d", "e", "small"]
    assert [group.n for group in found.groups] == [*np.bincount(given_answers.label, minlength=5), 4]
    assert {metric.name: metric.value for metric in found.groups[0].metrics} == {
        "set_coverage": 1,
        "set_size": 5,
        "set_full": 1,
    }
    assert found.groups[-1].too_few
    assert found.groups[-1].metrics == ()
    assert "want of calibration cases: a" in found.method
