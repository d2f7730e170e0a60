"""How far cases are from those of training, and how far chance alone would take them.

An effect is told beside what chance explains: an alert asks for both a shift that matters and one that chance does not make, so
that a small window does not cry wolf and a large one does not cry about trifles.
"""

from typing import Final

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import chdtri, ndtri

CHANCE: Final = 1e-6
"""Probability with which an unshifted window lies beyond what is told as chance. A window is looked at thousands of times."""
_PRIOR: Final = 0.5
"""Added to every bin (Jeffreys), so that an empty one costs much and not everything."""


def psi(counts: Int64[np.ndarray, " B"], shares: Float64[np.ndarray, " B"], reference_n: int) -> float:
    """Population stability index, the symmetric Kullback-Leibler divergence of binned cases; 0.1 is called moderate, 0.25 large.

    Args:
        counts: Cases of each bin.
        shares: Of the reference.
        reference_n: Its cases.
    """
    size = _PRIOR * len(counts)
    now = (counts + _PRIOR) / (counts.sum() + size)
    then = (shares * reference_n + _PRIOR) / (reference_n + size)
    return float(((now - then) * np.log(now / then)).sum())


def psi_by_chance(bins: int, n: int, reference_n: int) -> float:
    """What an unshifted window exceeds with probability `CHANCE`: the index over (1/n + 1/m) is chi-squared, B - 1 degrees of freedom.

    Yurdakul and Naranjo, J. Risk Model Validation 14(4), 2020.
    """
    return float(chdtri(max(bins - 1, 1), CHANCE)) * (1 / n + 1 / reference_n)


def shift_of_share(now: float, expected: float) -> float:
    """Cohen's h: difference of two shares on the scale where their spread is the same everywhere; 0.2 is called small, 0.5 medium."""
    return float(2 * (np.arcsin(np.sqrt(now)) - np.arcsin(np.sqrt(expected))))


def shift_by_chance(n: int, reference_n: int) -> float:
    """What an unshifted share exceeds, up or down, with probability `CHANCE`."""
    return float(-ndtri(CHANCE / 2) * np.sqrt(1 / n + 1 / reference_n))
