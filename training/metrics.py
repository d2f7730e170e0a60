"""Numbers on held-out cases: discrimination, calibration, coverage. Pure functions of arrays."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize
from scipy.stats import rankdata

FloatArray = Float[np.ndarray, " N"]
Events = Bool[np.ndarray, " N"]
EPSILON = 1e-6


def auroc(score: FloatArray, event: Events) -> float:
    """Area under the ROC curve: the share of (event, no event) pairs in the right order, ties as half."""
    positives = int(event.sum())
    negatives = len(event) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    rank_sum = float(rankdata(score)[event].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def brier(probability: FloatArray, event: Events) -> float:
    """Mean squared error of the probability."""
    return float(np.mean((probability - event) ** 2))


def negative_log_likelihood(probabilities: Float[np.ndarray, "N K"], label: Int[np.ndarray, " N"]) -> float:
    """Mean of -log p(true class)."""
    return float(-np.mean(np.log(np.maximum(probabilities[np.arange(len(label)), label], EPSILON))))


def calibration_line(probability: FloatArray, event: Events) -> tuple[float, float]:
    """Slope of the logistic recalibration and calibration-in-the-large (its intercept at slope 1).

    Ideal values are 1 and 0 (Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7).
    """
    clipped = np.clip(probability, EPSILON, 1 - EPSILON)
    logit = np.log(clipped / (1 - clipped))
    slope = _logistic_fit(np.stack([logit, np.ones_like(logit)], axis=1), np.zeros_like(logit), event)[0]
    intercept = _logistic_fit(np.ones((len(logit), 1)), logit, event)[0]
    return slope, intercept


def _logistic_fit(design: Float[np.ndarray, "N P"], offset: FloatArray, event: Events) -> list[float]:
    def loss(weights: np.ndarray) -> float:
        eta = design @ weights + offset
        return float(np.mean(np.logaddexp(0, eta) - event * eta))

    fitted: list[float] = minimize(loss, np.zeros(design.shape[1]), method="BFGS").x.tolist()
    return fitted


def quadratic_weighted_kappa(
    predicted: Int[np.ndarray, " N"], label: Int[np.ndarray, " N"], classes: int
) -> float:
    """Agreement of ordinal classes beyond chance, disagreement weighted by its square (Cohen 1968)."""
    weight = np.subtract.outer(np.arange(classes), np.arange(classes)) ** 2
    observed = np.histogram2d(label, predicted, bins=classes, range=[[0, classes], [0, classes]])[0]
    expected = np.outer(observed.sum(1), observed.sum(0)) / observed.sum()
    return float(1 - (weight * observed).sum() / (weight * expected).sum())


def bootstrap_interval(
    statistic: Callable[[Int[np.ndarray, " N"]], float],
    strata: Int[np.ndarray, " N"],
    seed: int,
    draws: int = 2000,
) -> tuple[float, float]:
    """95 % percentile interval over patients, resampled within strata.

    Args:
        statistic: From the indices of the drawn patients to a number.
        strata: Group of each patient; each keeps its size.
        seed: Decides the draws.
        draws: Resamples.
    """
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(strata == value) for value in np.unique(strata)]
    numbers = [
        statistic(np.concatenate([rng.choice(group, len(group)) for group in groups])) for _ in range(draws)
    ]
    low, high = np.nanpercentile(numbers, [2.5, 97.5])
    return float(low), float(high)
