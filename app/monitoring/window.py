"""The latest cases of one package, counted and held against those of training."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.monitoring.effects import psi, psi_by_chance, shift_by_chance, shift_of_share
from app.monitoring.observation import Observation, Reference

LEAST_CASES: Final = 100
"""Fewer say nothing, and a gauge that few patients move would tell of them."""
MOST_CASES: Final = 500


@dataclass(frozen=True)
class Drift:
    """Of one distribution.

    Attributes:
        kind: What it is of, see `app.model_package.training_summary.Kind`.
        name: Within its kind.
        index: Population stability index.
        by_chance: What chance explains.
    """

    kind: str
    name: str
    index: float
    by_chance: float


@dataclass(frozen=True)
class ShareNow:
    """How often something was the case.

    Attributes:
        kind: `missing` or `answer`.
        name: Within its kind.
        share: Of the window.
        expected: From training; None where it is not known.
        shift: Cohen's h of the two; None likewise.
        by_chance: What chance explains; None likewise.
    """

    kind: str
    name: str
    share: float
    expected: float | None = None
    shift: float | None = None
    by_chance: float | None = None


def drifts(reference: Reference, observations: Sequence[Observation]) -> list[Drift]:
    """Every distribution that enough of the cases have a value of."""
    found = []
    for key in reference.distributions:
        seen = [each.bins[key] for each in observations if key in each.bins]
        found += drift_of(reference, key, seen)
    return found


def drift_of(reference: Reference, key: tuple[str, str], bins: Sequence[int]) -> list[Drift]:
    """One distribution; none where too few cases have a value or nothing can shift."""
    expected = reference.distributions[key]
    sizes = len(expected.shares)
    if len(bins) < LEAST_CASES or sizes == 1:
        return []
    counts = np.bincount(bins, minlength=sizes)
    index = psi(counts, np.array(expected.shares), expected.n)
    return [Drift(*key, index, psi_by_chance(sizes, len(bins), expected.n))]


def shares(reference: Reference, observations: Sequence[Observation]) -> list[ShareNow]:
    """Every share, once there are cases enough."""
    if len(observations) < LEAST_CASES:
        return []
    keys: Iterable[tuple[str, str]] = dict.fromkeys(key for each in observations for key in each.shares)
    return [
        _share(reference, key, [each.shares[key] for each in observations if key in each.shares])
        for key in keys
    ]


def _share(reference: Reference, key: tuple[str, str], seen: Sequence[bool]) -> ShareNow:
    now, expected = sum(seen) / len(seen), reference.shares.get(key)
    if expected is None:
        return ShareNow(*key, now)
    shift, chance = shift_of_share(now, expected.share), shift_by_chance(len(seen), expected.n)
    return ShareNow(*key, now, expected.share, shift, chance)
