"""Simulated answers for 600 patients, and what can be drawn of them.

The bands are made up (a fixed half-width); nothing here is a test of statistics, only something to print.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.model_package.manifest import Metric
from training.evaluation import document as d

CLASSES = ("Dead", "Vegetative state", "Severe disability", "Moderate disability", "Good recovery")
CUTS = (-1.7, -1.2, 0.15, 1.85)
EVENT_FROM = 3
N = 600


@dataclass(frozen=True)
class Answers:
    """Probabilities and truth of some patients."""

    probabilities: np.ndarray
    label: np.ndarray

    @property
    def p(self) -> np.ndarray:
        """Of the event."""
        p: np.ndarray = self.probabilities[:, EVENT_FROM:].sum(axis=1)
        return p

    @property
    def event(self) -> np.ndarray:
        """Whether it came."""
        return self.label >= EVENT_FROM


def simulate(signal: float = 2.0, seed: int = 0, n: int = N) -> Answers:
    """Proportional odds with a known score."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n) * signal
    above = 1 / (1 + np.exp(-(score[:, None] - np.array(CUTS))))
    probabilities = -np.diff(np.concatenate([np.ones((n, 1)), above, np.zeros((n, 1))], axis=1), axis=1)
    label = (rng.random((n, 1)) > np.cumsum(probabilities, axis=1)[:, :-1]).sum(axis=1)
    return Answers(probabilities, label)


def near(name: str, value: float, half: float = 0.03, n: int = N) -> Metric:
    """A metric with a made-up interval."""
    return Metric(name=name, value=float(value), low=float(value - half), high=float(value + half), n=n)


def discrimination(a: Answers) -> d.Discrimination:
    cuts = np.quantile(a.p, np.linspace(1, 0, 101))
    flagged = a.p[None] >= cuts[:, None]
    tpr = (flagged & a.event).sum(1) / a.event.sum()
    fpr = (flagged & ~a.event).sum(1) / (~a.event).sum()
    precision = (flagged & a.event).sum(1) / np.maximum(flagged.sum(1), 1)
    confusion = np.histogram2d(a.label, a.probabilities.argmax(1), bins=5, range=[[0, 5], [0, 5]])[0].astype(
        int
    )
    return d.Discrimination(
        roc=curve(fpr, tpr, 0.03),
        precision_recall=curve(tpr, precision, 0.04),
        confusion=tuple(tuple(int(each) for each in row) for row in confusion),
        threshold=0.43,
    )


def calibration(a: Answers) -> d.Calibration:
    edges = np.quantile(a.p, np.linspace(0, 1, 11))
    inside = [(a.p >= low) & (a.p <= high) for low, high in pairwise(edges)]
    x = np.linspace(0.02, 0.98, 49)
    return d.Calibration(
        curve=curve(x, np.clip(x + 0.02 * np.sin(6 * x), 0, 1), 0.05),
        bins=curve(
            np.array([a.p[i].mean() for i in inside]), np.array([a.event[i].mean() for i in inside]), 0.06
        ),
        counts=tuple(int(each) for each in np.histogram(a.p, bins=20, range=(0, 1))[0]),
    )


def decision(a: Answers) -> d.DecisionCurve:
    cuts = np.linspace(0.01, 0.8, 80)

    def benefit(flags: Callable[[float], np.ndarray]) -> d.Curve:
        odds = cuts / (1 - cuts)
        net = [
            (flags(t) & a.event).mean() - (flags(t) & ~a.event).mean() * o
            for t, o in zip(cuts, odds, strict=True)
        ]
        return curve(cuts, np.array(net))

    weak = simulate(0.8).p
    return d.DecisionCurve(
        gains=(near("net_benefit_gain_at_30", 0.04, 0.02), near("net_benefit_gain_at_50", 0.11, 0.03)),
        strategies={
            "model": benefit(lambda t: a.p >= t),
            "all": benefit(lambda t: a.p >= -t),
            "none": benefit(lambda t: a.p > 1 + t),
            "ICH Score": benefit(lambda t: 0.7 * a.p + 0.3 * weak >= t),
            "FUNC": benefit(lambda t: 0.5 * a.p + 0.5 * weak >= t),
        },
    )


def selective(a: Answers) -> d.Selective:
    order = np.argsort(-np.abs(a.p - 0.5))
    loss = ((a.p - a.event) ** 2)[order].cumsum() / np.arange(1, N + 1)
    return d.Selective(risk=curve(np.arange(30, N + 1, 10) / N, loss[29::10], 0.012))


def curve(x: np.ndarray, y: np.ndarray, half: float = 0.0) -> d.Curve:
    low, high = (y - half, y + half) if half else (np.empty(0), np.empty(0))
    return d.Curve(
        x=tuple(map(float, x)),
        y=tuple(map(float, y)),
        low=tuple(map(float, low)),
        high=tuple(map(float, high)),
    )
