"""Which of several usable series is read: rules in order of weight; the first in which two differ decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.imaging.series_choice import SeriesSummary
from app.imaging.volume import Modality

BRAIN_MM: Final = 100.0
"""Extent from which a series can hold a whole brain; the braincase is about 120 mm high."""
SAME_GAP_MM: Final = 0.05
AS_MANY: Final = 0.9
"""Share of another series' slices from which one has as many: a few are lost on the way, and must not decide what is read."""


@dataclass(frozen=True)
class Rule:
    """One step of the ranking.

    Attributes:
        words: What the better series has, as in `the chosen series ...`.
        value: Higher is better.
    """

    words: str
    value: Callable[[SeriesSummary], float]


ONE_STACK: Final = Rule("is one stack of parallel slices", lambda one: one.plane is not None)
"""MR localisers have three planes, and seldom an Image Type that calls them what they are."""
SHOWS_HEAD: Final = Rule(
    "is declared to show the head", lambda one: {"head": 2, "unknown": 1, "other": 0}[one.body_part]
)
WHOLE_BRAIN: Final = Rule(
    f"covers at least {BRAIN_MM:.0f} mm", lambda one: (one.extent_mm or 0) + (one.gap_mm or 0) >= BRAIN_MM
)
ORIGINAL: Final = Rule("is original, not computed from other images", lambda one: one.is_original)
NO_CONTRAST: Final = Rule("was made without contrast agent", lambda one: not one.has_contrast_agent)
FINEST: Final = Rule("has the finer slices", lambda one: -round((one.gap_mm or 0) / SAME_GAP_MM))
MORE_SLICES: Final = Rule("has more slices", lambda one: one.slices)
RULES: Final[Mapping[Modality, tuple[Rule, ...]]] = {
    Modality.CT: (
        ONE_STACK,
        SHOWS_HEAD,
        WHOLE_BRAIN,
        ORIGINAL,
        Rule("is axial", lambda one: one.plane == "axial"),
        NO_CONTRAST,
        Rule("has a soft-tissue kernel", lambda one: {"soft": 2, "unknown": 1, "sharp": 0}[one.kernel]),
        FINEST,
        MORE_SLICES,
    ),
    Modality.MR: (
        ONE_STACK,
        SHOWS_HEAD,
        WHOLE_BRAIN,
        Rule("is T1-weighted", lambda one: {"T1": 2, "unknown": 1}.get(one.weighting, 0)),
        ORIGINAL,
        NO_CONTRAST,
        FINEST,
        MORE_SLICES,
    ),
}
"""In order of weight, by what a model for head CT without contrast, or for T1, needs."""


def rank(summary: SeriesSummary, modality: Modality) -> tuple[float, ...]:
    """How a series fares under each rule, weightiest first; higher is better."""
    return tuple(float(rule.value(summary)) for rule in RULES[modality])


def is_as_good(other: SeriesSummary, best: SeriesSummary, modality: Modality) -> bool:
    """Whether no rule tells a series from the best one, or in the same plane only that of the slices by a few."""
    others, bests = rank(other, modality), rank(best, modality)
    lacks_a_few = other.plane == best.plane and other.slices >= AS_MANY * best.slices
    return others == bests or (others[:-1] == bests[:-1] and lacks_a_few)


def first_difference(chosen: SeriesSummary, other: SeriesSummary, modality: Modality) -> str:
    """The rule by which the chosen series beats another, in words."""
    words = next(rule.words for rule in RULES[modality] if rule.value(chosen) > rule.value(other))
    return f"the chosen series {words}"
