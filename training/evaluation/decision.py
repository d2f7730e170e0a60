"""Would acting on the forecast do more good than acting on everyone, or on no one? Net benefit over the threshold to act.

Vickers and Elkin 2006, doi:10.1177/0272989X06295361. At threshold t one false alarm is worth t / (1 - t) events found, which is
what somebody means who acts from probability t on.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Float64

from training.evaluation.answers import Answers
from training.evaluation.bootstrap import CurveStatistic, PartlySeen, Resamples, Share, Statistic, Weights
from training.evaluation.document import Curve, DecisionCurve

THRESHOLDS = np.round(np.linspace(0.01, 0.99, 99), 2)
STATED = (0.1, 0.2, 0.3, 0.5, 0.7)
"""Thresholds whose gain over the better of all and none is given as a number."""


def net_benefit(
    probability: Float[np.ndarray, " N"],
    event: Bool[np.ndarray, " N"],
    thresholds: Float[np.ndarray, " points"] = THRESHOLDS,
) -> CurveStatistic:
    """Share of true positives, less that of false positives at their price, when everyone from the threshold on is acted upon."""
    chosen = probability[:, None] >= thresholds
    price = thresholds / (1 - thresholds)
    worth = np.where(event[:, None], 1.0, -price) * chosen

    def statistic(weights: Weights) -> Float64[np.ndarray, "draws points"]:
        benefit: Float64[np.ndarray, "draws points"] = weights @ worth / weights.sum(axis=1, keepdims=True)
        return benefit

    return statistic


def decision_statistics(given: Answers) -> dict[str, Statistic]:
    """At each stated threshold: net benefit of the model less that of the better of acting on all and on none."""
    return {
        f"net_benefit_gain_at_{threshold:.0%}".rstrip("%"): _gain(given, threshold) for threshold in STATED
    }


def judge_decision(given: Answers, rivals: Mapping[str, Answers], resamples: Resamples) -> DecisionCurve:
    """The curves of the model (with a band), of acting on all or none, and of the rivals on the same patients.

    Args:
        given: Calibrated answers of the model.
        rivals: Calibrated answers of others for the same patients.
        resamples: Of these patients.
    """
    everyone = _line(np.ones(len(given)), given.event)
    lines = {name: _line(rival.event_probability, rival.event) for name, rival in rivals.items()}
    return DecisionCurve(
        strategies={
            "model": resamples.curve(THRESHOLDS, net_benefit(given.event_probability, given.event)),
            "all": everyone,
            "none": Curve(x=everyone.x, y=(0.0,) * len(everyone.x)),
            **lines,
        },
        gains=resamples.metrics(decision_statistics(given)),
    )


def _line(p: Float[np.ndarray, " N"], event: Bool[np.ndarray, " N"]) -> Curve:
    heights = net_benefit(p, event)(np.ones((1, len(p))))[0]
    return Curve(x=tuple(THRESHOLDS.tolist()), y=tuple(heights.tolist()))


def _gain(given: Answers, threshold: float) -> Statistic:
    """What the model gains lies with those whom it treats otherwise than the better of the two would.

    They may be few, and if none or all of them have the event, so it is in every resample; what such a share leaves open is left open here.
    """
    at = np.array([threshold])
    model = net_benefit(given.event_probability, given.event, at)
    everyone = net_benefit(np.ones(len(given)), given.event, at)
    is_all = bool(everyone(np.ones((1, len(given))))[0, 0] > 0)
    acted = given.event_probability >= threshold
    otherwise = Share(given.event, ~acted if is_all else acted)
    # An event more among them, and a non-event less, is worth 1 + t / (1 - t): lost where they are spared, gained where they are acted upon.
    open_by = otherwise.n / len(given) * otherwise.unseen / (1 - threshold)
    best, worst = (0.0, 1.0) if is_all else (1.0, 0.0)
    return PartlySeen(
        lambda weights: (model(weights) - np.maximum(everyone(weights), 0))[:, 0],
        below=open_by if otherwise.value == best else 0.0,
        above=open_by if otherwise.value == worst else 0.0,
    )
