"""Clinical scores as rows: points are counted as published, and a logistic regression on their sum is refitted in the fold.

The published tables give mortality at 30 days or independence at 90 in their own cohorts; refitting is what makes a score comparable
with models that were fitted on these patients.

An item that is unknown for a patient counts the mean points of the training patients in whom it is known. An item that is
known in no training patient is left out for everyone and named in the row's note: such a score is not the published one.
"""

from collections.abc import Callable, Mapping
from typing import Self

import numpy as np
from jaxtyping import Float32, Float64
from sklearn.linear_model import LogisticRegression

from training.cohort import CohortError
from training.tabular.records import Column, Records
from training.tabular.thresholds import SharedSlope

Items = Callable[[Records], Mapping[str, Column]]
"""Points of every item of a score, by its name in words; NaN where unknown."""
_WEAK_RIDGE = 100.0
"""Inverse penalty of a slope per standard deviation of the score: keeps a fold finite in which the score separates."""


class ScoreRow:
    """Logistic regression on one score.

    Args:
        title: Of the score.
        items: Its points.
    """

    def __init__(self, title: str, items: Items) -> None:
        self._title = title
        self._items = items
        self.note = ""

    def fit(self, train: Records, validation: Records) -> Self:  # noqa: ARG002 - one signature for all rows
        """Fit the regression, and the mean points that stand for unknown items.

        Raises:
            CohortError: The cohort has none of the score's items.
        """
        points = self._items(train)
        known = {name: column[~np.isnan(column)] for name, column in points.items()}
        self._stand_in = {name: float(column.mean()) for name, column in known.items() if len(column)}
        absent = [name for name, column in known.items() if not len(column)]
        if len(absent) == len(points):
            raise CohortError(
                f"{self._title} needs some of {list(points)}, found none of them in the training patients; "
                "leave this row out, or add the columns (docs/how-to/ablation.md)"
            )
        self.note = f"without {', '.join(absent)}" if absent else ""
        total = self.score(train)
        self._centre, self._scale = float(total.mean()), float(total.std()) or 1.0
        self._thresholds = SharedSlope(lambda: LogisticRegression(C=_WEAK_RIDGE)).fit(
            self._design(train), train.labels, train.classes
        )
        return self

    def score(self, records: Records) -> Float64[np.ndarray, " N"]:
        """Points of every patient."""
        filled = [
            np.where(np.isnan(column), self._stand_in[name], column)
            for name, column in self._items(records).items()
            if name in self._stand_in
        ]
        total: Float64[np.ndarray, " N"] = np.sum(filled, axis=0)
        return total

    def logits(self, records: Records) -> Float32[np.ndarray, "N L"]:
        """CORN logits from the score alone."""
        return self._thresholds.logits(self._design(records))

    def _design(self, records: Records) -> Float64[np.ndarray, "N 1"]:
        return ((self.score(records) - self._centre) / self._scale)[:, None]


def points_above(value: Column, *cuts: tuple[float, float], below: float) -> Column:
    """Points by range: `below` until the first cut, then those of the last cut reached; NaN stays NaN.

    Args:
        value: Numbers.
        cuts: (from this value on, points), rising.
        below: Points of values under the first cut.
    """
    points = np.full(len(value), float(below))
    for start, worth in cuts:
        points[value >= start] = worth
    points[np.isnan(value)] = np.nan
    return points
