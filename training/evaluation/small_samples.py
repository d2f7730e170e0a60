"""What few patients leave open: intervals of shares, and how far the spread of resamples can be trusted."""

import math

import numpy as np
from jaxtyping import Float, Float64, Int
from scipy.stats import norm, t

NORMAL = 1.959964
"""Standard deviations about the mean that hold 95 % of a normal distribution."""
_OUTSIDE = 0.05
"""Chance that an interval does not hold the truth."""


def wilson(
    share: Float[np.ndarray, " shares"], n: Int[np.ndarray, " shares"]
) -> tuple[Float64[np.ndarray, " shares"], Float64[np.ndarray, " shares"]]:
    """95 % intervals of shares seen among n patients each (Wilson 1927; Brown et al. 2001, doi:10.1214/ss/1009213286)."""
    whole = 1 + NORMAL**2 / n
    centre = (share + NORMAL**2 / (2 * n)) / whole
    half = NORMAL * np.sqrt(share * (1 - share) / n + NORMAL**2 / (4 * n**2)) / whole
    return np.maximum(centre - half, 0), np.minimum(centre + half, 1)


def unseen_share(n: int) -> float:
    """How far from 0 or 1 a share may truly be where none or all of n patients have it: Wilson's interval (1927)."""
    return NORMAL**2 / (n + NORMAL**2)


def expanded_quantiles(fewest: int) -> tuple[float, float]:
    """Of the draws, at the ends of an interval.

    Resamples of n spread too little, by sqrt(1 - 1/n), and their percentiles stand for a normal distribution where Student's is due. The quantiles
    that mend both for a mean bring other numbers near to what is promised too (Hesterberg 2015, doi:10.1080/00031305.2015.1089789, the expanded
    percentile interval); of two samples, as of events and others, the smaller one counts.
    """
    if fewest <= 1:
        return 0.0, 1.0
    tail = float(norm.sf(t.isf(_OUTSIDE / 2, fewest - 1) / math.sqrt(1 - 1 / fewest)))
    return tail, 1 - tail


def told_by_few(p: float, fewest: int) -> float:
    """The p value at which an interval of such `expanded_quantiles` would end, from that of the draws; 1 of one patient."""
    if fewest <= 1:
        return 1.0
    return float(2 * t.sf(norm.isf(p / 2) * math.sqrt(1 - 1 / fewest), fewest - 1))
