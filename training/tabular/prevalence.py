"""Prevalence: the same answer for everyone, how often each class came in training. The floor of every table."""

from typing import Self

import numpy as np
from jaxtyping import Float32

from training.calibrate import smoothed_log_odds
from training.tabular.records import Records
from training.tabular.row import Tabular


class Prevalence:
    """Frequencies of the training patients' classes; their outcomes are all it reads."""

    note = ""

    def fit(self, train: Records, validation: Records) -> Self:  # noqa: ARG002 - one signature for all rows
        """Count."""
        self._logits = [
            smoothed_log_odds(train.labels[train.labels >= k] > k) for k in range(train.classes - 1)
        ]
        return self

    def logits(self, records: Records) -> Float32[np.ndarray, "N L"]:
        """The same row for every patient."""
        return np.tile(np.array(self._logits, dtype=np.float32), (len(records), 1))


ROW = Tabular("prevalence", 0, "Prevalence", Prevalence)
