"""Means over patients with bootstrap intervals, for numbers that every patient has one of."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from app.model_package.manifest import Metric
from training.evaluation.bootstrap import Resamples, Statistic
from training.evaluation.statistics import mean, share


def mean_metrics(each: Mapping[str, Float[np.ndarray, " N"]]) -> tuple[Metric, ...]:
    """Mean and 95 % percentile interval over patients of each number.

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
        for metric in Resamples(len(values)).metrics({name: _statistic(values)})
    )


def _statistic(values: Float[np.ndarray, " N"]) -> Statistic:
    """Of numbers that are all 0 or 1, the share of ones."""
    return share(values > 0) if np.isin(values, (0, 1)).all() else mean(values)
