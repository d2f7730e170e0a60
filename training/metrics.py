"""Numbers of one model on one set of cases, for a single use, as in the training loop.

Evaluation takes them with intervals from `training.evaluation.statistics`, whose definitions these are.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from training.evaluation import statistics
from training.evaluation.bootstrap import Statistic


def auroc(score: Float[np.ndarray, " N"], event: Bool[np.ndarray, " N"]) -> float:
    """Area under the ROC curve: the share of (event, no event) pairs in the right order, ties as half; NaN without a pair."""
    return _value(statistics.auroc(score, event), len(event))


def negative_log_likelihood(probabilities: Float[np.ndarray, "N K"], label: Int[np.ndarray, " N"]) -> float:
    """Mean of -log p(true class)."""
    return _value(statistics.negative_log_likelihood(probabilities, label), len(label))


def _value(statistic: Statistic, n: int) -> float:
    return float(statistic(np.ones((1, n)))[0])
