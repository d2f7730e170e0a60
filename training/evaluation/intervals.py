"""Means over patients with bootstrap intervals, for numbers that every patient has one of."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float

from app.model_package.manifest import Metric
from training.evaluation.bootstrap import Resamples, Statistic
from training.evaluation.statistics import mean, share

SHARES: Final = frozenset({"pointing", "pointing_strict"})
"""Of each patient yes or no, but for ties. A likeness of 1, or a shift of 0 mm, is no share, though all patients may have it."""


def mean_metrics(each: Mapping[str, Float[np.ndarray, " N"]]) -> tuple[Metric, ...]:
    """Mean and 95 % interval over patients of each number.

    Args:
        each: By name, [N] one value per patient; NaN where it is not defined. A number that is defined for no patient
            is left out.
    """
    known = {name: values[np.isfinite(values)] for name, values in each.items()}
    # The same seed for all: numbers of the same patients are resampled together.
    return tuple(
        metric
        for name, values in known.items()
        if len(values)
        for metric in Resamples(len(values)).metrics({name: _statistic(name, values)})
    )


def _statistic(name: str, values: Float[np.ndarray, " N"]) -> Statistic:
    return share(values > 0) if name in SHARES and np.isin(values, (0, 1)).all() else mean(values)
