"""The headline results in words, with intervals; every sentence follows from the numbers by a rule stated beside it."""

from typing import cast

from app.model_package.manifest import Metric
from app.model_package.naming import Task
from training.evaluation.document import Comparison, stated_beside
from training.evaluation.judge import MODEL
from training.evaluation.network_maps import ATTENTION
from training.evaluation.subgroups import FEWEST
from training.report.material import Material
from training.report.words import (
    decimal,
    estimate,
    find,
    interval,
    listed,
    p_value,
    percent,
    percent_estimate,
)
from training.rows import titles

ALPHA = 0.05
ENOUGH = 100
"""Events, and non-events, below which an external validation says little (Collins, Ogundimu and Altman 2016)."""
SLOPE_GOOD = (0.9, 1.1)
"""Calibration slopes between these are called close to ideal."""


def headline(material: Material) -> list[str]:
    """One statement a subject, the most important first."""
    found = (
        _discrimination(material),
        *_asked(material),
        _ceiling(material),
        *_comparisons(material),
        _calibration(material),
        _sets(material),
        _heatmap(material),
    )
    return [sentence for sentence in found if sentence]


def row_title(material: Material, name: str) -> str:
    """Words for a row of the model table; a name that is none stays as it is."""
    if name == MODEL:
        return "this model"
    known = titles(cast(Task, material.evaluation.task))
    title = known[name].title if name in known else name
    return title.replace("-", "\N{NON-BREAKING HYPHEN}")


def _discrimination(material: Material) -> str:
    area = find(material.metrics, "auroc")
    if area is None:
        return ""
    events = material.evaluation.events.get("test")
    of_them = f", {events} of them with the event" if events is not None else ""
    return (
        f"In {area.n} {judged_on(material)}{of_them}, the model told those with the event from those without "
        f"with an AUROC of {decimal(area.value)} "
        f"(95\N{NO-BREAK SPACE}% interval {interval(area.low, area.high)}){_stated(material)}."
    )


def _stated(material: Material) -> str:
    own = stated_beside(material.evaluation).get("auroc")
    return f"; of its own held-out cases the package states {estimate(own)}" if own else ""


def _asked(material: Material) -> list[str]:
    """Of a package on another cohort: who is in no number, and whether there are enough of both outcomes."""
    if material.external is None:
        return []
    said = []
    if refused := sum(material.external.refused.values()):
        total = refused + material.evaluation.counts["test"]
        said.append(f"{refused} of {total} {patients(material)} got no answer, and are in no number here.")
    events, answered = material.evaluation.events["test"], material.evaluation.counts["test"]
    if min(events, answered - events) < ENOUGH:
        said.append(
            f"To judge a package takes at least {ENOUGH} {patients(material)} with the event and as many without (doi:10.1002/sim.6787); here "
            f"are {events} and {answered - events}."
        )
    return said


def patients(material: Material) -> str:
    """Phantoms are never called patients."""
    return "phantoms" if material.phantoms else "patients"


def judged_on(material: Material) -> str:
    """Whose answers were judged: the run's own held-out patients, or another cohort's."""
    subjects = patients(material)
    return f"{subjects} of another cohort" if material.external else f"held-out {subjects}"


def _ceiling(material: Material) -> str:
    ceiling = find(material.metrics, "auroc_attainable")
    share = find(material.metrics, "auroc_share_of_attainable")
    if ceiling is None or share is None:
        return ""
    return (
        f"The true risk of these phantoms is known, and no model can pass its AUROC of {decimal(ceiling.value)}; this model "
        f"reached {percent_estimate(share)} of it."
    )


def _comparisons(material: Material) -> list[str]:
    """Ahead, behind, or not shown to differ: by Holm's p below 0.05 over the planned comparisons, nothing softer."""
    names = (material.evaluation.row, MODEL)
    own = [each for each in material.comparisons if each.row in names and each.metric == "auroc"]
    ahead = [each for each in own if each.p_holm < ALPHA and each.difference.value > 0]
    behind = [each for each in own if each.p_holm < ALPHA and each.difference.value < 0]
    open_ones = [each for each in own if each.p_holm >= ALPHA]
    sentences = []
    if ahead:
        sentences.append(f"Its AUROC was higher than that of {_versus(material, ahead)}.")
    if behind:
        sentences.append(f"Its AUROC was lower than that of {_versus(material, behind)}.")
    if open_ones:
        sentences.append(f"A difference in AUROC was not shown against {_versus(material, open_ones)}.")
    return sentences


def _versus(material: Material, comparisons: list[Comparison]) -> str:
    return listed(
        [
            f"{row_title(material, each.against)} ({signed(each.difference.value)}, "
            f"{interval(each.difference.low, each.difference.high)}; Holm p\N{NO-BREAK SPACE}{_p(each.p_holm)})"
            for each in comparisons
        ]
    )


def signed(value: float) -> str:
    """A difference always carries its sign."""
    text = decimal(value)
    return text if value < 0 or text.strip("0.") == "" else f"+{text}"


def _p(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"=\N{NO-BREAK SPACE}{text}"


def _calibration(material: Material) -> str:
    slope, large = (
        find(material.metrics, name) for name in ("calibration_slope", "calibration_in_the_large")
    )
    said = (
        f"The calibration slope was {estimate(slope, 2)}: {slope_in_words(slope, material)}." if slope else ""
    )
    # A good slope says nothing of a model that is too low or too high on average.
    if large and not large.low <= 0 <= large.high:
        often = "more" if large.value > 0 else "less"
        said += f" The event happened {often} often than was foretold (calibration in the large {estimate(large, 2)}; ideal 0)."
    return said.strip()


def has_too_few_for_slope(slope: Metric, material: Material) -> bool:
    """Whether one outcome is as rare as in a subgroup that is not judged either.

    Of a well calibrated model with twelve patients, the interval lay above the ideal in 13 to 19 of 100 simulated studies.
    """
    events = material.evaluation.events.get("test")
    return events is not None and min(events, slope.n - events) < FEWEST


def slope_in_words(slope: Metric, material: Material) -> str:
    """What a slope means; its interval decides whether it can be told from the ideal."""
    if has_too_few_for_slope(slope, material):
        return f"fewer than {FEWEST} {patients(material)} had one of the outcomes, too few to judge it"
    if slope.low <= 1 <= slope.high:
        near = SLOPE_GOOD[0] <= slope.value <= SLOPE_GOOD[1]
        return (
            "close to the ideal of 1" if near else "not told apart from the ideal of 1, with a wide interval"
        )
    return "probabilities were too extreme" if slope.value < 1 else "probabilities were too timid"


def _sets(material: Material) -> str:
    sets = material.evaluation.sets
    coverage = find(sets.metrics, "set_coverage") if sets else find(material.metrics, "set_coverage")
    size = find(sets.metrics, "set_size") if sets else None
    if coverage is None:
        return ""
    promised = f"; {percent(sets.nominal, 0)} were promised" if sets else ""
    mean = f", at {decimal(size.value, 2)} classes a set" if size else ""
    return f"Prediction sets held the true class in {percent_estimate(coverage)} of cases{promised}{mean}."


def _heatmap(material: Material) -> str:
    maps = material.evaluation.heatmaps
    if maps is None or not maps.methods or not maps.n:
        return ""
    first = maps.methods[0]
    # Not the pointing game, which counts one cell beside the region: a random point would lie in that more often.
    peaks = find(first.metrics, "pointing_strict")
    if peaks is None:
        return ""
    chance = f" (a random point would lie there in {percent(maps.chance)})" if maps.chance is not None else ""
    # A network without gates has none: the first of its maps is the outside reference.
    own = first.name == ATTENTION
    whose = "the heatmap" if own else f"{first.name}, for the row has no heatmap of its own,"
    return (
        f"The peak of {whose} lay in the region of interest in {percent_estimate(peaks)} "
        f"of {maps.n} cases{chance}. "
        "Overlap is not evidence of a right reason."
    )
