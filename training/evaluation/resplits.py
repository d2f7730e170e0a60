"""Does making prediction sets keep its promise, whoever happens to be in the calibration split?

One test split judges one set of thresholds, with the luck of two draws: which patients calibrate, and which are judged. Here the
calibration and the test patients are put together and dealt anew many times, each deal as large as the real one: the mean says
whether the procedure holds, the range what one hospital would see of it. Neither training nor the scaling of the probabilities
has seen these patients, so any deal of them is as good as the real one (exchangeable); validation patients are left out, because
they chose the epoch and the scaling. The thresholds that are served stay those of the calibration split alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float64

from app.model_package.manifest import Metric
from training.calibrate import Scaling
from training.evaluation.answers import Answers, answers
from training.evaluation.document import Group, Resplits
from training.evaluation.sets import COVERAGE, fit_thresholds
from training.evaluation.subgroups import FEWEST
from training.predictions import Predictions

DRAWS = 500
_RANGE = (2.5, 97.5)
"""Percentiles of the deals, as of every interval of an evaluation."""


def resplits_of(
    predictions: Predictions, scaling: Scaling, titles: Sequence[str], draws: int = DRAWS
) -> Resplits | None:
    """Coverage and size over random deals of a model's calibration and test patients.

    Args:
        predictions: Of the model.
        scaling: Fitted on its validation split.
        titles: Words for the classes, in order.
        draws: Deals.
    """
    calibration, test = predictions.rows("calibration"), predictions.rows("test")
    held = answers(predictions.take(calibration | test), scaling)
    return judge_resplits(held, int(calibration.sum()), titles, draws=draws)


def judge_resplits(
    held: Answers, calibration: int, titles: Sequence[str], coverage: float = COVERAGE, draws: int = DRAWS
) -> Resplits | None:
    """Coverage and size of the sets over random deals of the held-out patients.

    Args:
        held: Calibrated answers for the calibration and the test patients together.
        calibration: How many of them calibrate, in every deal.
        titles: Words for the classes, in order.
        coverage: Nominal.
        draws: Deals.

    Returns:
        None where a deal would leave nobody to judge by.
    """
    if not 0 < calibration < len(held):
        return None
    names = ("all", *titles)
    of_draws = np.stack(list(_coverages(held, calibration, coverage, draws)))
    members = [np.ones(len(held), np.bool_), *(held.label == k for k in range(len(titles)))]
    groups = [
        _group("class" if number else "all", name, held.take(chosen), of_draws[:, :, number])
        for number, (name, chosen) in enumerate(zip(names, members, strict=True))
    ]
    return Resplits(
        draws=draws, calibration=calibration, judged=len(held) - calibration, groups=tuple(groups)
    )


def _coverages(
    held: Answers, calibration: int, coverage: float, draws: int
) -> Iterator[Float64[np.ndarray, "2 G"]]:
    """Of each deal: coverage and size, of everyone and of each class; NaN of a class that nobody judged has."""
    rng = np.random.default_rng(0)
    for _ in range(draws):
        order = rng.permutation(len(held))
        fitting, judged = order[:calibration], order[calibration:]
        fitted = fit_thresholds(held.probabilities[fitting], held.label[fitting], coverage)
        sets, label = fitted.members(held.probabilities[judged]), held.label[judged]
        each = np.stack([sets[np.arange(len(label)), label], sets.sum(axis=1)]).astype(np.float64)
        yield np.stack([each.mean(axis=1), *(_means(each, label == k) for k in range(held.classes))], axis=1)


def _means(each: Float64[np.ndarray, "2 n"], chosen: Bool[np.ndarray, " n"]) -> Float64[np.ndarray, " 2"]:
    means: Float64[np.ndarray, " 2"] = each[:, chosen].mean(axis=1) if chosen.any() else np.full(2, np.nan)
    return means


def _group(variable: str, level: str, own: Answers, of_draws: Float64[np.ndarray, "D 2"]) -> Group:
    too_few = len(own) < FEWEST
    metrics = (
        Metric(
            name=name,
            value=float(np.nanmean(values)),
            low=float(np.nanpercentile(values, _RANGE[0])),
            high=float(np.nanpercentile(values, _RANGE[1])),
            n=len(own),
        )
        for name, values in zip(("set_coverage", "set_size"), of_draws.T, strict=True)
    )
    return Group(
        variable=variable,
        level=level,
        n=len(own),
        events=int(own.event.sum()),
        too_few=too_few,
        metrics=() if too_few else tuple(metrics),
    )
