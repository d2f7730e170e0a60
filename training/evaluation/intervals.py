"""Means over patients with bootstrap intervals, for numbers that every patient has one of."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from app.model_package.manifest import Metric
from training.evaluation.bootstrap import Resamples
from training.evaluation.statistics import mean


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
        for metric in Resamples(np.zeros(len(values), dtype=np.int64)).metrics({name: mean(values)})
    )
