"""Prediction sets: a threshold for each class, fitted on calibration cases, and whether the sets keep their promise on new ones.

Split conformal prediction, conditional on the class (Vovk 2012; Sadinle et al. 2019, doi:10.1080/01621459.2017.1395341): a class
enters at the probability that all but a tenth of the calibration cases *of that class* reached. Sets of grades are filled between
their ends, and every set holds the most likely class, which covers more than was asked for; the thresholds are therefore raised
until the sets as they are served cover what was promised. Why so, and what is not promised: docs/concepts/uncertainty.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from app.inference.calibration import set_members
from training.evaluation import statistics
from training.evaluation.answers import Answers, is_graded
from training.evaluation.bootstrap import Resamples, Statistic
from training.evaluation.document import Group, PredictionSets
from training.evaluation.subgroups import FEWEST, Subgroup

COVERAGE = 0.9
METHOD = "split conformal, conditional on the class; sets of grades are filled between their ends"
_ROUNDS = 20
_CERTAIN = 1.0


@dataclass(frozen=True)
class ClassThresholds:
    """What it takes to make a set.

    Attributes:
        thresholds: [K] least probability with which each class enters.
        cases: [K] calibration cases of each class.
        coverage: Nominal.
    """

    thresholds: tuple[float, ...]
    cases: tuple[int, ...]
    coverage: float

    @property
    def always_in(self) -> tuple[int, ...]:
        """Classes with too few calibration cases to be ever left out."""
        return tuple(k for k, cases in enumerate(self.cases) if cases < fewest_cases(self.coverage))

    def members(self, probabilities: Float[np.ndarray, "N K"]) -> Bool[np.ndarray, "N K"]:
        """The sets the service answers with, by its own function."""
        return _members(probabilities, np.array(self.thresholds))


def fit_thresholds(
    probabilities: Float[np.ndarray, "N K"], label: Int[np.ndarray, " N"], coverage: float = COVERAGE
) -> ClassThresholds:
    """Thresholds with which the sets cover each class at the nominal rate.

    Each class in turn: calibration cases whose set holds their class whatever its threshold is (it is the most likely one, or
    lies between two members) count as certain, the others by their probability. The thresholds of the other classes move what
    lies between, so it is repeated until nothing changes, which takes two or three rounds.

    Args:
        probabilities: Calibrated, of cases that neither training nor early stopping has seen.
        label: Their classes.
        coverage: Nominal.
    """
    classes = probabilities.shape[1]
    thresholds = np.array([_rank(probabilities[label == k, k], coverage) for k in range(classes)])
    for _ in range(_ROUNDS):
        before = thresholds.copy()
        for k in range(classes):
            own = probabilities[label == k]
            held_anyway = _members(own, np.where(np.arange(classes) == k, np.inf, thresholds))[:, k]
            thresholds[k] = _rank(np.where(held_anyway, _CERTAIN, own[:, k]), coverage)
        if np.array_equal(before, thresholds):
            break
    cases = np.bincount(label, minlength=classes)
    return ClassThresholds(tuple(thresholds.tolist()), tuple(cases.tolist()), coverage)


def fewest_cases(coverage: float) -> int:
    """Calibration cases of a class without which no threshold can promise the coverage: 9 for 90 %."""
    return math.ceil(round(coverage / (1 - coverage), 9))


def judge_sets(
    given: Answers,
    fitted: ClassThresholds,
    resamples: Resamples,
    titles: Sequence[str],
    subgroups: Sequence[Subgroup] = (),
) -> PredictionSets:
    """Coverage and size of the sets on held-out patients: together, per true class, per subgroup.

    Args:
        given: Calibrated answers for the held-out patients.
        fitted: The thresholds.
        resamples: Of the same patients.
        titles: Words for the classes, in order.
        subgroups: Of the same patients.
    """
    classes = [Subgroup("class", title, given.label == k) for k, title in enumerate(titles)]
    return PredictionSets(
        nominal=fitted.coverage,
        method=METHOD,
        metrics=resamples.metrics(set_statistics(given, fitted)),
        groups=tuple(_group(group, given, fitted) for group in (*classes, *subgroups)),
    )


def set_statistics(given: Answers, fitted: ClassThresholds) -> dict[str, Statistic]:
    """Coverage, mean size, and the share of sets that hold every class and so say nothing."""
    sets = fitted.members(given.probabilities).astype(np.float64)
    return {
        "set_coverage": statistics.mean(sets[np.arange(len(given)), given.label]),
        "set_size": statistics.mean(sets.sum(axis=1)),
        "set_full": statistics.mean(sets.min(axis=1)),
    }


def _group(group: Subgroup, given: Answers, fitted: ClassThresholds) -> Group:
    """Enough patients are enough here: coverage needs no events."""
    own = given.take(group.chosen)
    too_few = len(own) < FEWEST
    return Group(
        variable=group.variable,
        level=group.level,
        n=len(own),
        events=int(own.event.sum()),
        too_few=too_few,
        metrics=() if too_few else Resamples(own.event.astype(np.int64)).metrics(set_statistics(own, fitted)),
    )


def _members(
    probabilities: Float[np.ndarray, "N K"], thresholds: Float[np.ndarray, " K"]
) -> Bool[np.ndarray, "N K"]:
    return set_members(probabilities, thresholds, ordinal=is_graded(probabilities.shape[1]))


def _rank(conformity: Float[np.ndarray, " n"], coverage: float) -> float:
    """Value that a new case of the same kind reaches with the nominal probability; 0 where there are too few to say."""
    below = math.floor(round((len(conformity) + 1) * (1 - coverage), 9))
    return float(np.sort(conformity)[below - 1]) if below else 0.0
