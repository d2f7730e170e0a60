"""A binary classifier per threshold between ordered classes, so that any classifier speaks in CORN logits.

CORN's logit k is that of P(y > k | y >= k) (arXiv:2111.08851): classifier k is fitted on the patients who reached class k, and
its log odds are the logit. Two classes leave one plain classifier. In statistics this is the continuation-ratio model.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from training.calibrate import smoothed_log_odds

Labels = Int64[np.ndarray, " N"]
Design = Float[np.ndarray, "N P"]
Classifier = Any
"""A classifier of scikit-learn, which ships no types: `fit` and `decision_function`."""


class Thresholds:
    """One classifier per threshold.

    Args:
        make: A new, unfitted classifier.
    """

    def __init__(self, make: Callable[[], Classifier]) -> None:
        self._make = make
        self.fitted: list[Classifier] = []

    def fit(self, design: Design, labels: Labels, classes: int) -> "Thresholds":
        """Fit on training patients; where all of them lie on one side of a threshold, its log odds are a constant."""
        self.fitted = [
            self._fit_one(design[labels >= k], labels[labels >= k] > k) for k in range(classes - 1)
        ]
        return self

    def logits(self, design: Design) -> Float32[np.ndarray, "N L"]:
        """CORN logits."""
        columns = [
            np.full(len(design), one) if isinstance(one, float) else one.decision_function(design)
            for one in self.fitted
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    def _fit_one(self, design: Design, better: np.ndarray) -> Classifier:
        if len(np.unique(better)) < 2:  # noqa: PLR2004 - nothing to tell apart
            return smoothed_log_odds(better)
        classifier = self._make()
        classifier.fit(design, better)
        return classifier


class SharedSlope:
    """One classifier for all thresholds: each has an intercept of its own, and the slopes are the same.

    Patients enter once for every threshold they met. With one input, such as a score, the answers rise or fall with it at
    every threshold alike, which separate fits on a rare class do not keep.

    Args:
        make: A new, unfitted linear classifier.
    """

    def __init__(self, make: Callable[[], Classifier]) -> None:
        self._make = make

    def fit(self, design: Design, labels: Labels, classes: int) -> "SharedSlope":
        """Fit on training patients; where all of them lie on one side of every threshold, the log odds are a constant."""
        self._thresholds = classes - 1
        met = [labels >= k for k in range(self._thresholds)]
        stacked = np.concatenate([self._at(design[rows], k) for k, rows in enumerate(met)])
        better = np.concatenate([labels[rows] > k for k, rows in enumerate(met)])
        one_side = len(np.unique(better)) < 2  # noqa: PLR2004 - nothing to tell apart
        self._fitted: Classifier | float = (
            smoothed_log_odds(better) if one_side else self._make().fit(stacked, better)
        )
        return self

    def logits(self, design: Design) -> Float32[np.ndarray, "N L"]:
        """CORN logits."""
        if isinstance(self._fitted, float):
            return np.full((len(design), self._thresholds), self._fitted, dtype=np.float32)
        columns = [self._fitted.decision_function(self._at(design, k)) for k in range(self._thresholds)]
        return np.stack(columns, axis=1).astype(np.float32)

    def _at(self, design: Design, threshold: int) -> Design:
        """The inputs, with a column per threshold that marks this one."""
        marks = np.zeros((len(design), self._thresholds))
        marks[:, threshold] = 1
        return np.concatenate([design, marks], axis=1)


def exceedance_nll(logits: Float[np.ndarray, "N L"], labels: Labels) -> float:
    """Mean negative log-likelihood of classes from CORN logits, in plain NumPy."""
    thresholds = np.arange(logits.shape[1])
    reached, better = labels[:, None] >= thresholds, labels[:, None] > thresholds
    # -log P(better) = log(1 + exp(-f)), -log P(not better) = log(1 + exp(f)), over the thresholds each patient met.
    losses: Float64[np.ndarray, "N L"] = np.logaddexp(0, np.where(better, -logits, logits)) * reached
    return float(losses.sum(axis=1).mean())
