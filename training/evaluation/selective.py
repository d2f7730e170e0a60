"""What answering only the surer cases would save: error among the answered, over the share answered.

Geifman and El-Yaniv 2017, arXiv:1705.08500. Surest are the cases whose probability of the event lies farthest from one half.
"""

import numpy as np
from jaxtyping import Float64

from training.evaluation import statistics
from training.evaluation.answers import Answers
from training.evaluation.bootstrap import CurveStatistic, Resamples, Statistic, Values, Weights
from training.evaluation.document import Selective

ANSWERED = np.round(np.linspace(0.05, 1, 20), 2)


def selective_statistics(given: Answers) -> dict[str, Statistic]:
    """Brier score averaged over the shares answered: the area under the curve."""
    curve = risk(given)

    def area(weights: Weights) -> Values:
        areas: Values = curve(weights).mean(axis=1)
        return areas

    return {"selective_risk": area}


def judge_selective(given: Answers, resamples: Resamples) -> Selective:
    """The curve, with its band."""
    return Selective(risk=resamples.curve(ANSWERED, risk(given)))


def risk(given: Answers) -> CurveStatistic:
    """Brier score among the surest, at each share of `ANSWERED`.

    Of patients who are equally sure each counts with the mean of them all: which of them is left out is chance, not their place in the table.
    """
    p = given.event_probability
    # Rounded: 0.3 and 0.7 are equally sure, and differ in their last digit.
    order, starts = statistics.tied_groups(-np.abs(p - 0.5).round(12))
    alike = np.diff(np.append(starts, len(order)))
    loss = ((p - given.event) ** 2)[order]

    def statistic(weights: Weights) -> Float64[np.ndarray, "draws points"]:
        drawn = weights[:, order]
        lost, among = (np.add.reduceat(each, starts, axis=1) for each in (drawn * loss, drawn))
        expected = np.repeat(lost / np.maximum(among, 1), alike, axis=1)
        answered = drawn.cumsum(axis=1)
        mean = (drawn * expected).cumsum(axis=1) / np.maximum(answered, 1)
        share = answered / answered[:, -1:]
        last = np.stack([(share < place - 1e-9).sum(axis=1) for place in ANSWERED], axis=1)
        return np.take_along_axis(mean, np.minimum(last, mean.shape[1] - 1), axis=1)

    return statistic
