"""training.evaluation.resplits: over many deals the sets cover what they promise, and a fault of the procedure shows."""

import numpy as np
import pytest

from tests.training.evaluation.support import ordinal_predictions
from training.calibrate import Scaling
from training.evaluation.answers import Answers, answers
from training.evaluation.document import Resplits
from training.evaluation.resplits import judge_resplits

TITLES = ("a", "b", "c", "d", "e")


def held(n: int, classes: int = 5, sharpness: float = 1.0) -> Answers:
    model = ordinal_predictions(n, 1, noise=0.7, sharpness=sharpness, classes=classes)
    return answers(model, Scaling(slope=1.0, intercept=0.0))


def dealt(given: Answers, calibration: int, draws: int = 200) -> Resplits:
    found = judge_resplits(given, calibration, TITLES[: given.classes], draws=draws)
    assert found is not None
    return found


def coverage(found: Resplits) -> dict[str, tuple[float, float, float]]:
    """Mean and range by level."""
    numbers = {group.level: group.metrics[0] for group in found.groups if group.metrics}
    return {level: (each.value, each.low, each.high) for level, each in numbers.items()}


@pytest.mark.parametrize("sharpness", [1.0, 2.5])
def test_the_mean_is_within_two_points_of_nominal_overall_and_in_every_class(sharpness: float) -> None:
    """Each class has 50 cases or more to calibrate; the mean of 200 deals is known to a third of a point."""
    found = coverage(dealt(held(1200, sharpness=sharpness), calibration=600))
    assert list(found) == ["all", *TITLES]
    for level, (mean, low, high) in found.items():
        assert mean == pytest.approx(0.905, abs=0.02), level
        assert low < mean < high


def test_a_class_of_n_calibration_cases_gains_what_rounding_gives_and_no_more() -> None:
    """Seven of its ten cases calibrate on average, too few for a threshold of its own: it can never be left out."""
    given = held(400, classes=2)
    rare = np.flatnonzero(given.label == 1)[10:]
    chosen = np.ones(400, np.bool_)
    chosen[rare] = False
    few = coverage(dealt(given.take(chosen), calibration=int(0.7 * chosen.sum())))
    assert few["b"][0] > 0.95
    assert few["a"][0] == pytest.approx(0.905, abs=0.02)


def test_fewer_patients_show_a_wider_range_of_the_same_mean() -> None:
    many, few = (coverage(dealt(held(n), calibration=n // 2))["all"] for n in (1600, 200))
    assert few[2] - few[1] > 1.5 * (many[2] - many[1])


def test_what_was_asked_for_is_what_is_measured() -> None:
    asked = judge_resplits(held(800, classes=2), 400, TITLES[:2], coverage=0.7, draws=200)
    assert asked is not None
    assert coverage(asked)["a"][0] == pytest.approx(0.7, abs=0.02)


def test_a_class_with_too_few_cases_gets_no_number() -> None:
    given = held(300)
    chosen = (given.label != 4) | (np.cumsum(given.label == 4) <= 5)
    found = dealt(given.take(chosen), calibration=140)
    assert [group.too_few for group in found.groups] == [False] * 5 + [True]
    assert found.groups[-1].metrics == ()


@pytest.mark.parametrize("calibration", [0, 60])
def test_without_patients_to_calibrate_or_to_judge_by_there_is_nothing_to_say(calibration: int) -> None:
    assert judge_resplits(held(60), calibration, TITLES) is None
