"""Does an event happen as often as it is foretold? Scores, the recalibration line, and a curve free to bend.

Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7. No Hosmer-Lemeshow test: its p value says how many patients there were.
"""

import numpy as np
from jaxtyping import Bool, Float, Float64

from app.model_package.manifest import Metric
from training.evaluation import statistics
from training.evaluation.answers import Answers
from training.evaluation.bootstrap import CurveStatistic, Resamples, Statistic, Values, Weights
from training.evaluation.document import Calibration, Curve
from training.evaluation.logistic import fit_logistic, sigmoid
from training.evaluation.small_samples import wilson
from training.evaluation.statistics import logits_of

ECE_BINS = 15
PLOTTED_BINS = 10
HISTOGRAM_WIDTH = 0.05
_KNOTS = (0.05, 0.35, 0.65, 0.95)
_CHANCE_DRAWS = 500
_CHANCE_RANGE = (2.5, 97.5)
_CURVE_POINTS = 81
_CURVE_SPAN = (0.01, 0.99)
_FEWEST_FOR_A_CURVE = 20


def calibration_metrics(given: Answers, resamples: Resamples) -> tuple[Metric, ...]:
    """Scores and the recalibration line of the event, the likelihood of the classes, and the expected calibration error."""
    p, event = given.event_probability, given.event
    numbers = {
        "brier": statistics.brier(p, event),
        "brier_skill": statistics.brier_skill(p, event),
        "nll": statistics.negative_log_likelihood(given.probabilities, given.label),
        "calibration_slope": statistics.calibration_slope(p, event),
        "calibration_in_the_large": statistics.calibration_intercept(p, event),
    }
    ece = resamples.estimate(expected_calibration_error(p, event)).recentred()
    return (*resamples.metrics(numbers), ece.metric("ece"), ece_by_chance(p))


def ece_by_chance(probability: Float[np.ndarray, " N"]) -> Metric:
    """The expected calibration error that these forecasts would show if every one of them were true: mean, and what 95 % of such cohorts show.

    It is what an ECE must be held against, since the fewer patients there are, the larger it is without any fault of the model.
    """
    rng, n = np.random.default_rng(0), len(probability)
    shown = [
        expected_calibration_error(probability, rng.random(n) < probability)(np.ones((1, n)))[0]
        for _ in range(_CHANCE_DRAWS)
    ]
    low, high = np.percentile(shown, _CHANCE_RANGE)
    return Metric(name="ece_by_chance", value=float(np.mean(shown)), low=float(low), high=float(high), n=n)


def judge_calibration(given: Answers, resamples: Resamples) -> Calibration:
    """The curve with its band, equal-mass bins with theirs, and the histogram below.

    Args:
        given: Calibrated answers for the held-out patients.
        resamples: Of the same patients.
    """
    p, event = given.event_probability, given.event
    edges = np.arange(0, 1 + HISTOGRAM_WIDTH / 2, HISTOGRAM_WIDTH)
    return Calibration(
        curve=_curve(p, event, resamples),
        bins=_bins(p, event),
        counts=tuple(np.histogram(p, edges)[0].tolist()),
    )


def expected_calibration_error(
    probability: Float[np.ndarray, " N"], event: Bool[np.ndarray, " N"]
) -> Statistic:
    """Mean distance of forecast and frequency over bins of equally many patients; never 0 in a sample, however good the model."""
    bins = _equal_mass(probability, ECE_BINS)
    membership = np.stack([bins == number for number in np.unique(bins)], axis=1).astype(np.float64)
    excess = membership * (event - probability)[:, None]

    def statistic(weights: Weights) -> Values:
        distances: Values = np.abs(weights @ excess).sum(axis=1) / weights.sum(axis=1)
        return distances

    return statistic


def flexible_curve(
    probability: Float[np.ndarray, " N"],
    event: Bool[np.ndarray, " N"],
    at: Float[np.ndarray, " points"],
) -> CurveStatistic:
    """Frequency of the event at each forecast: logistic regression on a restricted cubic spline of the forecast's log odds.

    Four knots at Harrell's quantiles; a straight line in log odds where there are too few patients or forecasts for a spline; NaN of one outcome
    alone.
    """
    logit = logits_of(probability)
    knots = np.unique(np.quantile(logit, _KNOTS))
    enough = min(event.sum(), (~event).sum()) >= _FEWEST_FOR_A_CURVE and len(knots) == len(_KNOTS)
    design, places = (_spline(x, knots if enough else knots[:0]) for x in (logit, logits_of(at)))

    def statistic(weights: Weights) -> Float64[np.ndarray, "draws points"]:
        frequency = sigmoid(fit_logistic(design, event, weights) @ places.T)
        return np.where(statistics.of_both_outcomes(event, weights)[:, None], frequency, np.nan)

    return statistic


def _curve(p: Float[np.ndarray, " N"], event: Bool[np.ndarray, " N"], resamples: Resamples) -> Curve:
    if np.ptp(p) == 0:
        return Curve(x=(), y=())
    low, high = np.quantile(p, _CURVE_SPAN).tolist()
    at = np.linspace(low, high, _CURVE_POINTS)
    return resamples.curve(at, flexible_curve(p, event, at))


def _spline(x: Float[np.ndarray, " n"], knots: Float[np.ndarray, " k"]) -> Float64[np.ndarray, "n terms"]:
    """Constant, x, and the terms of a cubic spline that is straight beyond its outer knots (Harrell 2015, section 2.4.5)."""
    columns = [np.ones_like(x), x]
    for knot in knots[:-2]:
        last, before = knots[-1], knots[-2]
        bend = (
            _cube(x - knot)
            - _cube(x - before) * (last - knot) / (last - before)
            + _cube(x - last) * (before - knot) / (last - before)
        )
        columns.append(bend / (last - knots[0]) ** 2)
    return np.stack(columns, axis=1)


def _cube(x: Float[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    cube: Float64[np.ndarray, " n"] = np.maximum(x, 0.0) ** 3
    return cube


def _bins(p: Float[np.ndarray, " N"], event: Bool[np.ndarray, " N"]) -> Curve:
    """Mean forecast to frequency in tenths of the patients, with Wilson's interval."""
    bins = _equal_mass(p, PLOTTED_BINS)
    numbers = np.unique(bins)
    size = np.array([(bins == number).sum() for number in numbers])
    frequency = np.array([event[bins == number].mean() for number in numbers])
    low, high = wilson(frequency, size)
    return Curve(
        x=tuple(float(p[bins == number].mean()) for number in numbers),
        y=tuple(frequency.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )


def _equal_mass(p: Float[np.ndarray, " N"], bins: int) -> Float64[np.ndarray, " N"]:
    """Bin of each patient, by rank; equal forecasts share a bin."""
    edges = np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, p, side="right").astype(np.float64)
