"""How well events are told from non-events, and grades from each other."""

import numpy as np
from jaxtyping import Float64, Int

from training.evaluation import statistics
from training.evaluation.answers import Answers
from training.evaluation.bootstrap import CurveStatistic, Resamples, Share, Statistic, Weights
from training.evaluation.document import Discrimination

GRID = np.linspace(0, 1, 101)
"""False positive rates and recalls at which the curves are given."""
_ROUNDING = 1e-9


def youden_threshold(validation: Answers) -> float:
    """Probability of the event at which sensitivity + specificity is largest (Youden 1950), to be fixed before the test split.

    It lies half way to the next lower probability, so that it does not hang on one patient's rounding. Without events or without
    non-events it is 0.5.
    """
    p, event = validation.event_probability, validation.event
    if event.all() or not event.any():
        return 0.5
    steps = np.unique(p)
    reached = p[:, None] >= steps
    youden = reached[event].mean(axis=0) - reached[~event].mean(axis=0)
    best = int(youden.argmax())
    return float((steps[best] + steps[max(best - 1, 0)]) / 2)


def discrimination_statistics(given: Answers, threshold: float) -> dict[str, Statistic]:
    """Numbers of the event over all thresholds and at one, and of the grades where there are more than two classes."""
    p, event = given.event_probability, given.event
    sensitivity = Share(p >= threshold, event)
    specificity = Share(p < threshold, ~event)
    numbers: dict[str, Statistic] = {
        "auroc": statistics.auroc(p, event),
        "auprc": statistics.average_precision(p, event),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced_accuracy": statistics.balanced_accuracy(sensitivity, specificity),
    }
    return numbers | _of_grades(given) | _attainable(given)


def judge_discrimination(given: Answers, threshold: float, resamples: Resamples) -> Discrimination:
    """ROC and precision-recall curves with bands, and the confusion matrix.

    Args:
        given: Calibrated answers for the held-out patients.
        threshold: Fixed on validation.
        resamples: Of the same patients.
    """
    confusion = np.zeros((given.classes, given.classes), dtype=np.int64)
    np.add.at(confusion, (given.label, given.most_likely), 1)
    return Discrimination(
        roc=resamples.curve(GRID, roc(given)),
        precision_recall=resamples.curve(GRID, precision_recall(given)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        threshold=threshold,
    )


def roc(given: Answers) -> CurveStatistic:
    """Largest true positive rate at each false positive rate of `GRID`; NaN of one outcome alone."""

    def statistic(weights: Weights) -> Float64[np.ndarray, "draws points"]:
        hits, alarms = _falling(given, weights)
        rate, sensitivity = _share(alarms), _share(hits)
        sensitivity = np.concatenate([0 * sensitivity[:, :1], sensitivity], axis=1)
        sensitivity = np.where(np.isnan(rate[:, :1]), np.nan, sensitivity)
        return _at(sensitivity, np.stack([(rate <= place + _ROUNDING).sum(axis=1) for place in GRID], axis=1))

    return statistic


def precision_recall(given: Answers) -> CurveStatistic:
    """Precision at the highest threshold that reaches each recall of `GRID`; NaN of one outcome alone."""

    def statistic(weights: Weights) -> Float64[np.ndarray, "draws points"]:
        hits, alarms = _falling(given, weights)
        recall = _share(hits)
        unknown = np.isnan(recall) | np.isnan(_share(alarms))
        precision = np.where(unknown, np.nan, statistics.ratio(hits, hits + alarms))
        first = np.stack([(recall < max(place - _ROUNDING, _ROUNDING)).sum(axis=1) for place in GRID], axis=1)
        return _at(precision, np.minimum(first, recall.shape[1] - 1))

    return statistic


def _falling(
    given: Answers, weights: Weights
) -> tuple[Float64[np.ndarray, "draws M"], Float64[np.ndarray, "draws M"]]:
    """Events and non-events at or above each probability, from the highest down."""
    order, starts = statistics.tied_groups(-given.event_probability)
    event, drawn = given.event[order], weights[:, order]
    hits, alarms = (np.add.reduceat(drawn * kind, starts, axis=1).cumsum(axis=1) for kind in (event, ~event))
    return hits, alarms


def _share(counts: Float64[np.ndarray, "draws M"]) -> Float64[np.ndarray, "draws M"]:
    """Running counts as shares of their end; NaN where there is nothing to count."""
    total = np.repeat(counts[:, -1:], counts.shape[1], axis=1)
    return statistics.ratio(counts, total)


def _at(
    values: Float64[np.ndarray, "draws M"], index: Int[np.ndarray, "draws points"]
) -> Float64[np.ndarray, "draws points"]:
    return np.take_along_axis(values, index, axis=1)


def _of_grades(given: Answers) -> dict[str, Statistic]:
    if not given.graded:
        return {}
    predicted = given.most_likely
    return {
        "quadratic_weighted_kappa": statistics.quadratic_weighted_kappa(
            predicted, given.label, given.classes
        ),
        "ordinal_mae": statistics.absolute_error(predicted, given.label),
        "ranked_probability_score": statistics.ranked_probability_score(given.probabilities, given.label),
    }


def _attainable(given: Answers) -> dict[str, Statistic]:
    """The ceiling, where the cohort's true probabilities are known (phantoms)."""
    if np.isnan(given.true_probability).any():
        return {}
    reached = statistics.auroc(given.event_probability, given.event)
    ceiling = statistics.auroc(given.true_probability, given.event)
    return {
        "auroc_attainable": ceiling,
        "auroc_share_of_attainable": statistics.quotient(reached, ceiling),
    }
