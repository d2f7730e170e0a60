"""Intervals by resampling patients: 95 % expanded percentile intervals, every seed fixed; of a share, Wilson's.

A resample is kept as counts, how often each patient was drawn. A statistic takes the counts of many resamples at once as
weights and gives one number for each, so two thousand resamples cost a few array operations instead of two thousand calls.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt16
from scipy.stats import norm

from app.model_package.manifest import Metric
from training.evaluation.document import Curve
from training.evaluation.small_samples import expanded_quantiles, told_by_few, unseen_share, wilson

Weights = Float64[np.ndarray, "draws N"]
Values = Float64[np.ndarray, " draws"]
Statistic = Callable[[Weights], Values]
"""From patients' weights, one row a resample, to one number a resample; NaN where it is not defined."""
CurveStatistic = Callable[[Weights], Float64[np.ndarray, "draws points"]]
"""The same for a line: its heights at fixed places."""

DRAWS = 2000
_ELEMENTS_AT_ONCE = 1_000_000


BOTH_ENDS = frozenset({0.0, 1.0})


class Share:
    """A `Statistic`: the share with `hit` among the patients with `among`.

    Args:
        hit: [N] who is counted.
        among: [N] of whom.
    """

    def __init__(self, hit: Bool[np.ndarray, " N"], among: Bool[np.ndarray, " N"]) -> None:
        self.n = int(among.sum())
        self.unseen = unseen_share(self.n)
        self._counted, self._all = (hit & among).astype(np.float64), among.astype(np.float64)

    @property
    def value(self) -> float:
        """The share among the patients themselves; NaN without any."""
        return float(self(np.ones((1, len(self._all))))[0])

    def __call__(self, weights: Weights) -> Values:
        """The share in each resample; NaN in one without any such patient."""
        counted, everyone = weights @ self._counted, weights @ self._all
        shares: Values = np.divide(counted, everyone, out=np.full_like(counted, np.nan), where=everyone > 0)
        return shares


@dataclass(frozen=True)
class Bounded:
    """A `Statistic` that cannot go beyond 0, or 1, or either.

    Attributes:
        of: The number.
        unseen: How far from such an end the truth may be, with 95 % confidence, where the patients show the end itself.
        ends: Of 0 and 1, those that it cannot go beyond.
    """

    of: Statistic
    unseen: float
    ends: frozenset[float] = BOTH_ENDS

    def __call__(self, weights: Weights) -> Values:
        """The number in each resample."""
        return self.of(weights)


@dataclass(frozen=True)
class PartlySeen:
    """A `Statistic` made of several shares, of which the patients show one as none or all.

    Attributes:
        of: The number.
        below: How far below it the truth may be, with 95 % confidence, though no resample says so.
        above: How far above.
    """

    of: Statistic
    below: float
    above: float

    def __call__(self, weights: Weights) -> Values:
        """The number in each resample."""
        return self.of(weights)


def unseen_of(statistic: Statistic) -> float:
    """How far from an end the truth may be where a statistic shows it; 0 for one without ends."""
    return statistic.unseen if isinstance(statistic, Bounded) else 0.0


def ends_of(statistic: Statistic) -> frozenset[float]:
    """Of 0 and 1, those that a statistic cannot go beyond."""
    return statistic.ends if isinstance(statistic, Bounded) else frozenset()


@dataclass(frozen=True)
class Estimate:
    """A number on the patients themselves, and on every resample of them.

    Attributes:
        value: On the patients.
        draws: On each resample.
        n: Patients that are counted: of a sensitivity, those with the event.
        fewest: Patients on whom the spread hangs most (`Resamples`).
        below: How far below it the truth may be that no resample shows.
        above: How far above.
        known: Its interval, where there is a better one than resampling's.
    """

    value: float
    draws: Values
    n: int
    fewest: int
    below: float = 0.0
    above: float = 0.0
    known: tuple[float, float] | None = None

    @property
    def defined(self) -> bool:
        """Whether the patients allow the number (an AUROC needs events and non-events)."""
        return bool(np.isfinite(self.value) and np.isfinite(self.draws).any())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval: Wilson's of a share, and else the expanded percentiles of the resamples in which the number is defined.

        What every resample repeats, such as a share of all, it would claim to be certain. How far from that the truth may be is squared and
        added to what resamples do show (Newcombe 1998, method 10).
        """
        if self.known is not None:
            return self.known
        low, high = np.quantile(self.draws[np.isfinite(self.draws)], expanded_quantiles(self.fewest)).tolist()
        if self.below:
            low = self.value - math.hypot(max(self.value - low, 0.0), self.below)
        if self.above:
            high = self.value + math.hypot(max(high - self.value, 0.0), self.above)
        return low, high

    @property
    def p(self) -> float:
        """Two-sided test of zero that agrees with the interval: twice the smaller tail, with the usual + 1 of a Monte Carlo test.

        Of a tail that no draw reaches, a normal distribution as wide as the draws says how small it is: else no difference, however large, could be
        told from chance among twenty where few had the event. Of fewer than five patients the draws do not reach as far as an interval should.
        """
        draws = self.draws[np.isfinite(self.draws)]
        tail, spread = min(int((draws <= 0).sum()), int((draws >= 0).sum())), float(draws.std())
        p = min(1.0, 2 * (tail + 1) / (len(draws) + 1))
        if not tail and spread:
            p = min(p, float(2 * norm.sf(abs(self.value) / spread)))
        return told_by_few(p, self.fewest)

    def recentred(self) -> "Estimate":
        """For a distance, which resampling makes larger on the whole: the draws moved to lie about the value, none below 0."""
        moved = np.maximum(self.draws - np.nanmean(self.draws) + self.value, 0.0)
        return replace(self, draws=moved)

    def metric(self, name: str) -> Metric:
        """The number as documents keep it."""
        low, high = self.interval
        return Metric(name=name, value=self.value, low=low, high=high, n=self.n)


class Resamples:
    """Patients drawn with replacement.

    Not within strata of the outcome: how many have the event is part of what other patients would change. Held fixed, the intervals
    of calibration in the large, of net benefit and of precision would be half as wide as they must be.

    Args:
        n: Patients.
        draws: Resamples.
        seed: Decides them.
        event: [n] who had it, where numbers hang on how it was foretold: then the rarer of event and none, be it 14 of 300, says how much
            a spread of resamples can be trusted.
    """

    def __init__(
        self, n: int, draws: int = DRAWS, seed: int = 0, event: Bool[np.ndarray, " n"] | None = None
    ) -> None:
        events = 0 if event is None else int(event.sum())
        self._fewest = min(events, n - events) or n
        self._counts = _drawn_counts(n, draws, np.random.default_rng(seed))

    def estimate(self, statistic: Statistic) -> Estimate:
        """A statistic on the patients and on every resample."""
        patients = self._counts.shape[1]
        value = float(statistic(np.ones((1, patients)))[0])
        drawn = self._drawn(statistic)
        if isinstance(statistic, Share):
            low, high = (float(end[0]) for end in wilson(np.array([value]), np.array([max(statistic.n, 1)])))
            return Estimate(value, drawn, statistic.n, self._fewest, known=(low, high))
        return Estimate(value, drawn, patients, self._fewest, *_not_shown(statistic, value))

    def curve(self, x: Float[np.ndarray, " points"], statistic: CurveStatistic) -> Curve:
        """A line on the patients, with a pointwise 95 % band; places where it is not defined are left out."""
        height = statistic(np.ones((1, self._counts.shape[1])))[0]
        known = np.isfinite(height)
        if not known.any():
            return Curve(x=(), y=())
        low, high = np.nanquantile(self._drawn(statistic)[:, known], expanded_quantiles(self._fewest), axis=0)
        return Curve(
            x=tuple(x[known].tolist()),
            y=tuple(height[known].tolist()),
            low=tuple(low.tolist()),
            high=tuple(high.tolist()),
        )

    def metrics(self, statistics: dict[str, Statistic]) -> tuple[Metric, ...]:
        """Several numbers on the same resamples; those the patients do not allow are left out."""
        estimates = {name: self.estimate(statistic) for name, statistic in statistics.items()}
        return tuple(estimate.metric(name) for name, estimate in estimates.items() if estimate.defined)

    def _drawn(self, statistic: Statistic | CurveStatistic) -> Float64[np.ndarray, "draws ..."]:
        draws, n = self._counts.shape
        step = max(1, _ELEMENTS_AT_ONCE // max(1, n))
        pieces = (self._counts[first : first + step] for first in range(0, draws, step))
        return np.concatenate([statistic(piece.astype(np.float64)) for piece in pieces])


def _not_shown(statistic: Statistic, value: float) -> tuple[float, float]:
    """How far below and above the number of the patients the truth may be that no resample of them shows."""
    if isinstance(statistic, PartlySeen):
        return statistic.below, statistic.above
    unseen = unseen_of(statistic) if value in ends_of(statistic) else 0.0
    return (0.0, unseen) if value == 0 else (unseen, 0.0)


def _drawn_counts(n: int, draws: int, rng: np.random.Generator) -> UInt16[np.ndarray, "draws N"]:
    """How often each of `n` patients comes up in `n` draws with replacement, for every resample."""
    drawn = rng.integers(0, n, (draws, n)) + n * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * n).reshape(draws, n).astype(np.uint16)
