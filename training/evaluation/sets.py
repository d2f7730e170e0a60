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
from jaxtyping import Bool, Float, Float64, Int, Shaped

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
        """Classes with too few calibration cases, even together, to be ever left out."""
        return () if self._rare_are_enough else self._rare

    @property
    def together(self) -> tuple[int, ...]:
        """Classes with too few calibration cases for a threshold of their own, which share one, and the promise."""
        return self._rare if self._rare_are_enough else ()

    @property
    def _rare(self) -> tuple[int, ...]:
        return tuple(k for k, cases in enumerate(self.cases) if cases < fewest_cases(self.coverage))

    @property
    def _rare_are_enough(self) -> bool:
        return sum(self.cases[k] for k in self._rare) >= fewest_cases(self.coverage)

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

    Classes with too few cases for a threshold of their own share one, and the coverage holds for them together; where they are
    too few together, they are in every set.

    Args:
        probabilities: Calibrated, of cases that neither training nor early stopping has seen.
        label: Their classes.
        coverage: Nominal.
    """
    cases = np.bincount(label, minlength=probabilities.shape[1])
    groups = _sharing(cases, coverage)
    thresholds = np.zeros(len(cases))
    for group in groups:
        thresholds[group] = _rank(_own(probabilities, label)[np.isin(label, group)], coverage)
    for _ in range(_ROUNDS):
        before = thresholds.copy()
        for group in groups:
            chosen = np.isin(label, group)
            conformity = _conformity(probabilities[chosen], label[chosen], group, thresholds)
            thresholds[group] = _rank(conformity, coverage)
        if np.array_equal(before, thresholds):
            break
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
        method=_method(fitted, titles),
        metrics=resamples.metrics(set_statistics(given, fitted)),
        groups=tuple(_group(group, given, fitted) for group in (*classes, *subgroups)),
    )


def _method(fitted: ClassThresholds, titles: Sequence[str]) -> str:
    always, together = (", ".join(titles[k] for k in some) for some in (fitted.always_in, fitted.together))
    if together:
        return f"{METHOD}; covered as promised only together, by one threshold, for want of calibration cases: {together}"
    return f"{METHOD}; in every set for want of calibration cases: {always}" if always else METHOD


def set_statistics(given: Answers, fitted: ClassThresholds) -> dict[str, Statistic]:
    """Coverage, mean size, and the share of sets that hold every class and so say nothing."""
    sets = fitted.members(given.probabilities)
    return {
        "set_coverage": statistics.share(_own(sets, given.label)),
        "set_size": statistics.mean(sets.sum(axis=1).astype(np.float64)),
        "set_full": statistics.share(sets.sum(axis=1) == given.classes),
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
        metrics=() if too_few else Resamples(len(own)).metrics(set_statistics(own, fitted)),
    )


def _sharing(cases: Int[np.ndarray, " K"], coverage: float) -> list[Int[np.ndarray, " g"]]:
    """Classes by the threshold they share: one alone, but those with too few cases together."""
    rare = cases < fewest_cases(coverage)
    alone = [np.array([k]) for k in np.flatnonzero(~rare)]
    return [*alone, np.flatnonzero(rare)] if rare.any() else alone


def _conformity(
    probabilities: Float[np.ndarray, "n K"],
    label: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " g"],
    thresholds: Float[np.ndarray, " K"],
) -> Float64[np.ndarray, " n"]:
    """Highest threshold of the group at which each case's set holds its class; certain where it does at any."""

    def holds(of_group: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        tried = np.tile(thresholds, (len(label), 1))
        tried[:, group] = of_group[:, None]
        return _own(_members(probabilities, tried), label)

    conformity = np.zeros(len(label))
    for k in group:
        at = probabilities[:, k]
        conformity = np.maximum(conformity, np.where(holds(at), at, 0.0))
    conformity[holds(np.full(len(label), np.inf))] = _CERTAIN
    return conformity


def _own(values: Shaped[np.ndarray, "n K"], label: Int[np.ndarray, " n"]) -> Shaped[np.ndarray, " n"]:
    """Each case's value for its own class."""
    own: np.ndarray = values[np.arange(len(label)), label]
    return own


def _members(
    probabilities: Float[np.ndarray, "N K"], thresholds: Float[np.ndarray, "*#N K"]
) -> Bool[np.ndarray, "N K"]:
    return set_members(probabilities, thresholds, ordinal=is_graded(probabilities.shape[1]))


def _rank(conformity: Float[np.ndarray, " n"], coverage: float) -> float:
    """Value that a new case of the same kind reaches with the nominal probability; 0 where there are too few to say."""
    below = math.floor(round((len(conformity) + 1) * (1 - coverage), 9))
    return float(np.sort(conformity)[below - 1]) if below else 0.0
