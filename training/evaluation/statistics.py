"""Held-out numbers as functions of patients' weights, so that the bootstrap takes all its resamples at once.

Each function binds arrays of N patients and returns a `Statistic`. With weights of one it is the number itself
(`training.metrics` gives those for a single use).
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from scipy.optimize import brentq

from training.evaluation.bootstrap import (
    Bounded,
    PartlySeen,
    Share,
    Statistic,
    Values,
    Weights,
    ends_of,
    unseen_of,
)
from training.evaluation.logistic import fit_logistic
from training.evaluation.small_samples import NORMAL, unseen_share

Score = Float[np.ndarray, " N"]
Events = Bool[np.ndarray, " N"]
Probabilities = Float[np.ndarray, "N K"]
Labels = Int[np.ndarray, " N"]
EPSILON = 1e-6
"""Least probability whose logarithm is taken."""
ZERO, ONE = frozenset({0.0}), frozenset({1.0})


def mean(values: Float[np.ndarray, " N"]) -> Statistic:
    """Weighted mean of one number per patient, such as a loss."""
    column = np.asarray(values, np.float64)
    return lambda weights: ratio(weights @ column, weights.sum(axis=1))


def auroc(score: Score, event: Events) -> Statistic:
    """Share of (event, no event) pairs in the right order, ties as half."""
    order, starts = tied_groups(score)
    truth = event[order]

    def statistic(weights: Weights) -> Values:
        drawn = weights[:, order]
        positives = np.add.reduceat(drawn * truth, starts, axis=1)
        negatives = np.add.reduceat(drawn * ~truth, starts, axis=1)
        below = negatives.cumsum(axis=1) - negatives / 2
        return ratio((positives * below).sum(axis=1), positives.sum(axis=1) * negatives.sum(axis=1))

    events = int(event.sum())
    return Bounded(statistic, unseen_of_pairs(events, len(event) - events))


def unseen_of_pairs(events: int, others: int) -> float:
    """How far below 1 the AUROC may truly be, with 95 % confidence, where every pair is in the right order; 1 without a pair.

    The score interval with the variance of Hanley and McNeil (Newcombe 2006, doi:10.1002/sim.2324, method 5), at an AUROC of 1.
    """
    if not events or not others:
        return 1.0
    scale, more = NORMAL**2 / (events * others), (events + others) / 2 - 1

    def excess(unseen: float) -> float:
        area = 1 - unseen
        return unseen - scale * area * (1 + more * (unseen / (2 - area) + area / (1 + area)))

    return float(brentq(excess, 0.0, 1.0))


def balanced_accuracy(sensitivity: Share, specificity: Share) -> Statistic:
    """Mean of the two; where one of them is of none or all, what such a share leaves open is left open here."""
    halves = (sensitivity, specificity)
    below, above = (math.hypot(*(each.unseen / 2 for each in halves if each.value == end)) for end in (1, 0))
    return PartlySeen(lambda weights: (sensitivity(weights) + specificity(weights)) / 2, below, above)


def average_precision(score: Score, event: Events) -> Statistic:
    """Area under the precision-recall curve: precision at each threshold, weighted by the recall it adds; NaN of events alone.

    Where all events come first it is the precision among so many patients, and leaves open what that share does.
    """
    order, starts = tied_groups(-np.asarray(score))
    truth = event[order]

    def statistic(weights: Weights) -> Values:
        drawn = weights[:, order]
        positives = np.add.reduceat(drawn * truth, starts, axis=1)
        flagged = np.add.reduceat(drawn, starts, axis=1).cumsum(axis=1)
        precision = positives.cumsum(axis=1) / np.maximum(flagged, 1)
        area = ratio((positives * precision).sum(axis=1), positives.sum(axis=1))
        return np.where(of_both_outcomes(truth, drawn), area, np.nan)

    return Bounded(statistic, unseen_share(int(event.sum())), ONE)


def brier(probability: Score, event: Events) -> Statistic:
    """Mean squared error of the event's probability."""
    return mean((probability - event) ** 2)


def brier_skill(probability: Score, event: Events) -> Statistic:
    """1 - Brier / Brier of the prevalence among the same patients: 0 for the prevalence, 1 for certainty."""
    loss, happened = brier(probability, event), mean(event.astype(np.float64))

    def statistic(weights: Weights) -> Values:
        prevalence = happened(weights)
        return 1 - ratio(loss(weights), prevalence * (1 - prevalence))

    return statistic


def negative_log_likelihood(probabilities: Probabilities, label: Labels) -> Statistic:
    """Mean of -log p(true class)."""
    given = probabilities[np.arange(len(label)), label]
    return mean(-np.log(np.maximum(given, EPSILON)))


def ranked_probability_score(probabilities: Probabilities, label: Labels) -> Statistic:
    """Mean squared distance of cumulative probabilities, over the K - 1 cuts between classes (Epstein 1969); 0 is best, 1 worst."""
    classes = probabilities.shape[1]
    reached = label[:, None] <= np.arange(classes - 1)
    distance = (probabilities.cumsum(axis=1)[:, :-1] - reached) ** 2
    return mean(distance.mean(axis=1))


def absolute_error(predicted: Labels, label: Labels) -> Statistic:
    """Mean number of classes between the most likely and the true one.

    Where there is none, a share of patients that such a sample need not show may yet be told by chance, and so by one class at least.
    """
    classes = int(max(predicted.max(), label.max())) + 1
    drawn, true = (np.bincount(each, minlength=classes) / len(label) for each in (predicted, label))
    grades = np.arange(classes)
    by_chance = max(1.0, float(drawn @ np.abs(np.subtract.outer(grades, grades)) @ true))
    distance = mean(np.abs(predicted - label).astype(np.float64))
    return Bounded(distance, unseen_share(len(label)) * by_chance, ZERO)


def quadratic_weighted_kappa(predicted: Labels, label: Labels, classes: int) -> Statistic:
    """Agreement of ordinal classes beyond chance, disagreement weighted by its square (Cohen 1968).

    Where it is perfect, a share of patients that such a sample need not show may yet be told by chance.
    """
    disagreement = np.subtract.outer(np.arange(classes), np.arange(classes)) ** 2
    cell = np.eye(classes * classes)[label * classes + predicted]

    def statistic(weights: Weights) -> Values:
        observed = (weights @ cell).reshape(-1, classes, classes)
        expected = observed.sum(axis=2)[:, :, None] * observed.sum(axis=1)[:, None, :]
        seen = (disagreement * observed).sum(axis=(1, 2)) * observed.sum(axis=(1, 2))
        return 1 - ratio(seen, (disagreement * expected).sum(axis=(1, 2)))

    return Bounded(statistic, unseen_share(len(label)), ONE)


def share(hit: Events) -> Share:
    """Share of the patients with `hit`: coverage."""
    return Share(hit, np.ones_like(hit))


def calibration_slope(probability: Score, event: Events) -> Statistic:
    """Slope of the logistic recalibration; 1 is ideal, below 1 the model is overconfident; NaN of one outcome alone."""
    logit = logits_of(probability)
    if np.ptp(logit) < EPSILON:  # the same probability for everyone has no slope
        return lambda weights: np.full(len(weights), np.nan)
    design = np.stack([logit, np.ones_like(logit)], axis=1)

    def statistic(weights: Weights) -> Values:
        slope = fit_logistic(design, event, weights)[:, 0]
        return np.where(of_both_outcomes(event, weights), slope, np.nan)

    return statistic


def calibration_intercept(probability: Score, event: Events) -> Statistic:
    """Calibration in the large: intercept of the recalibration with slope 1; 0 is ideal, above 0 the model is too low.

    NaN of one outcome alone, where it would be infinite.
    Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7.
    """
    logit = logits_of(probability)
    constant = np.ones((len(logit), 1))

    def statistic(weights: Weights) -> Values:
        intercept = fit_logistic(constant, event, weights, offset=logit)[:, 0]
        return np.where(of_both_outcomes(event, weights), intercept, np.nan)

    return statistic


def of_both_outcomes(event: Events, weights: Weights) -> Bool[np.ndarray, " draws"]:
    """Whether a resample holds events and non-events: of one kind alone no regression has an answer, and no curve a meaning."""
    events = weights @ event
    both: np.ndarray = (events > 0) & (events < weights.sum(axis=1))
    return both


def averaged(statistics: Sequence[Statistic]) -> Statistic:
    """Mean of several numbers inside each resample, such as one model's seeds; those not defined in it are left out."""

    def statistic(weights: Weights) -> Values:
        values = np.stack([each(weights) for each in statistics])
        known = np.isfinite(values)
        return ratio(np.where(known, values, 0).sum(axis=0), known.sum(axis=0).astype(np.float64))

    return Bounded(statistic, max(unseen_of(each) for each in statistics), ends_of(statistics[0]))


def difference(first: Statistic, second: Statistic) -> Statistic:
    """Paired: first - second on the same resample."""
    return lambda weights: first(weights) - second(weights)


def quotient(first: Statistic, second: Statistic) -> Statistic:
    """Paired: first / second on the same resample."""
    return lambda weights: ratio(first(weights), second(weights))


def logits_of(probability: Score) -> Float64[np.ndarray, " N"]:
    """Log odds log(p / (1 - p)), finite."""
    clipped = np.clip(np.asarray(probability, np.float64), EPSILON, 1 - EPSILON)
    return np.log(clipped / (1 - clipped))


def tied_groups(score: Score) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " groups"]]:
    """Order of rising score, and where each run of equal scores begins in it."""
    order = np.argsort(score, kind="stable")
    ranked = np.asarray(score)[order]
    return order, np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])


def ratio(
    above: Float64[np.ndarray, "*shape"], below: Float64[np.ndarray, "*shape"]
) -> Float64[np.ndarray, "*shape"]:
    """Quotient, NaN where it is not defined."""
    quotients: np.ndarray = np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)
    return quotients
