"""Numbers of one model on one set of cases, for a single use: the loop's validation, and tests.

Evaluation takes them with intervals from `training.evaluation.statistics`, whose definitions these are.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from training.evaluation import statistics
from training.evaluation.bootstrap import Statistic


def auroc(score: Float[np.ndarray, " N"], event: Bool[np.ndarray, " N"]) -> float:
    """Area under the ROC curve: the share of (event, no event) pairs in the right order, ties as half; NaN without a pair."""
    return _value(statistics.auroc(score, event), len(event))


def brier(probability: Float[np.ndarray, " N"], event: Bool[np.ndarray, " N"]) -> float:
    """Mean squared error of the probability."""
    return _value(statistics.brier(probability, event), len(event))


def negative_log_likelihood(probabilities: Float[np.ndarray, "N K"], label: Int[np.ndarray, " N"]) -> float:
    """Mean of -log p(true class)."""
    return _value(statistics.negative_log_likelihood(probabilities, label), len(label))


def calibration_line(
    probability: Float[np.ndarray, " N"], event: Bool[np.ndarray, " N"]
) -> tuple[float, float]:
    """Slope of the logistic recalibration and calibration in the large (its intercept at slope 1); ideal are 1 and 0."""
    slope = _value(statistics.calibration_slope(probability, event), len(event))
    return slope, _value(statistics.calibration_intercept(probability, event), len(event))


def quadratic_weighted_kappa(
    predicted: Int[np.ndarray, " N"], label: Int[np.ndarray, " N"], classes: int
) -> float:
    """Agreement of ordinal classes beyond chance, disagreement weighted by its square (Cohen 1968)."""
    return _value(statistics.quadratic_weighted_kappa(predicted, label, classes), len(label))


def _value(statistic: Statistic, n: int) -> float:
    return float(statistic(np.ones((1, n)))[0])
