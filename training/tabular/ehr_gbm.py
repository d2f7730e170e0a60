"""EHR-GBM: gradient-boosted trees on the record (scikit-learn's histogram form), which split on missing values themselves.

As with networks, the validation patients say when to stop: the number of trees is the one with the lowest negative log-likelihood.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice, repeat
from typing import Self

import numpy as np
from jaxtyping import Bool, Float32, Float64
from sklearn.ensemble import HistGradientBoostingClassifier

from app.ehr.schema import Feature
from training.tabular.records import Records
from training.tabular.row import Tabular
from training.tabular.thresholds import Thresholds, exceedance_nll

MOST_TREES = 150


class EhrBoosting:
    """The row."""

    note = ""

    def fit(self, train: Records, validation: Records) -> Self:
        """Grow trees on training patients, and keep as many as validation asks for."""
        self._thresholds = Thresholds(partial(_Trees, train.features)).fit(
            train.table, train.labels, train.classes
        )
        losses = [exceedance_nll(each, validation.labels) for each in self._staged(validation.table)]
        self.trees = int(np.argmin(losses)) + 1
        return self

    def logits(self, records: Records) -> Float32[np.ndarray, "N L"]:
        """CORN logits."""
        return next(islice(self._staged(records.table), self.trees - 1, None))

    def _staged(self, table: Float64[np.ndarray, "N F"]) -> Iterator[Float32[np.ndarray, "N L"]]:
        """Logits after the first tree, the second, and so on."""
        columns = [
            repeat(np.full(len(table), one), MOST_TREES)
            if isinstance(one, float)
            else one.staged_decision_function(table)
            for one in self._thresholds.fitted
        ]
        for stage in zip(*columns, strict=True):
            yield np.stack([np.ravel(each) for each in stage], axis=1).astype(np.float32)


class _Trees:
    """The classifier of one threshold."""

    def __init__(self, features: tuple[Feature, ...]) -> None:
        self._trees = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=MOST_TREES,
            max_leaf_nodes=8,
            min_samples_leaf=10,
            l2_regularization=1.0,
            early_stopping=False,
            categorical_features=_categorical(features),
            random_state=0,
        )

    def fit(self, table: Float64[np.ndarray, "N F"], better: Bool[np.ndarray, " N"]) -> None:
        """A column of which these patients know nothing is filled, for scikit-learn fails on it; of one value alone no tree can ask."""
        unknown = np.isnan(table).all(axis=0)
        self._trees.fit(np.where(unknown, 0.0, table), better)

    def staged_decision_function(self, table: Float64[np.ndarray, "N F"]) -> Iterator[np.ndarray]:
        """Log odds after the first tree, the second, and so on."""
        stages: Iterator[np.ndarray] = self._trees.staged_decision_function(table)
        return stages


def _categorical(features: tuple[Feature, ...]) -> list[int]:
    return [i for i, feature in enumerate(features) if feature.kind == "categorical"]


ROW = Tabular("ehr-gbm", 1, "Gradient boosting on the record", EhrBoosting, place=1)
