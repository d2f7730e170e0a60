"""Does the model serve everyone alike? The same numbers among women and men, the old and the young, one site and another.

Subgroups are looked up in the cohort by pseudonym. A group with fewer than ten events or non-events gets no numbers, because
those would mislead; it is listed with its counts. No test is made between groups: the intervals say what can be told apart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from app.ehr.schema import Feature
from app.ehr.units import accepted_units, convert
from training.cohort import Case
from training.evaluation import statistics
from training.evaluation.answers import Answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.document import Group

FEWEST = 10
"""Events, and non-events, below which a group gets no numbers."""
AGE_EDGES = (55.0, 65.0, 75.0, 85.0)
YEAR = "a"
_MOST_LEVELS = 12
_UNKNOWN = "not recorded"


@dataclass(frozen=True)
class Subgroup:
    """Some of the patients.

    Attributes:
        variable: What the group is by.
        level: Its value, in words.
        chosen: [N] who belongs to it.
    """

    variable: str
    level: str
    chosen: Bool[np.ndarray, " N"]


def find_subgroups(cases: Sequence[Case], features: Sequence[Feature]) -> tuple[Subgroup, ...]:
    """Subgroups of the patients: sex, age band, site, the cohort's own columns, and how much of the record is missing.

    A variable with one level only, or with more than twelve, makes no groups.

    Args:
        cases: The patients, in the order of the answers.
        features: The record.
    """
    units = {feature.name: feature.unit for feature in features}
    columns: dict[str, list[str]] = {}
    if "sex" in units:
        columns["sex"] = [str(case.record.get("sex", _UNKNOWN)) for case in cases]
    if "age" in units:
        columns["age"] = [_age_band(case.record.get("age"), units["age"]) for case in cases]
    # A cohort may name its age as well, whose every year would be a level: more than make groups.
    columns = columns | {
        name: levels for name, levels in _cohort_columns(cases).items() if name not in columns
    }
    columns["record missing"] = _missing_tertiles(cases, len(features))
    return tuple(group for variable, levels in columns.items() for group in _groups(variable, levels))


def judge_subgroups(given: Answers, subgroups: Sequence[Subgroup]) -> tuple[Group, ...]:
    """Discrimination and calibration of each group, with counts.

    Args:
        given: Calibrated answers.
        subgroups: Of the same patients.
    """
    return tuple(_judged(group, given.take(group.chosen)) for group in subgroups)


def _judged(group: Subgroup, own: Answers) -> Group:
    event, p = own.event, own.event_probability
    events = int(event.sum())
    too_few = min(events, len(own) - events) < FEWEST
    numbers = {
        "auroc": statistics.auroc(p, event),
        "calibration_slope": statistics.calibration_slope(p, event),
        "calibration_in_the_large": statistics.calibration_intercept(p, event),
        "brier": statistics.brier(p, event),
    }
    return Group(
        variable=group.variable,
        level=group.level,
        n=len(own),
        events=events,
        too_few=too_few,
        metrics=() if too_few else Resamples(len(own), event=event).metrics(numbers),
    )


def _groups(variable: str, levels: Sequence[str]) -> tuple[Subgroup, ...]:
    known = sorted(set(levels), key=_natural)
    if not 1 < len(known) <= _MOST_LEVELS:
        return ()
    column = np.array(levels)
    return tuple(Subgroup(variable, level, column == level) for level in known)


def _natural(level: str) -> tuple[bool, list[tuple[int, str]]]:
    """Numbers by value, and what is not recorded at the end."""
    parts = [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", level) if part
    ]
    return level == _UNKNOWN, parts


def _age_band(age: object, unit: str | None) -> str:
    if not isinstance(age, int | float):
        return _UNKNOWN if age is None else str(age)  # a category
    if unit in accepted_units(YEAR, None):
        # Rounded, for 780 months are 65 years.
        age = round(convert(age, unit, YEAR, None), 6)
    edges = (None, *AGE_EDGES, None)
    place = int(np.searchsorted(AGE_EDGES, age, side="right"))
    low, high = edges[place], edges[place + 1]
    if low is None:
        return f"under {high:.0f}"
    return f"{low:.0f} and over" if high is None else f"{low:.0f} to {high - 1:.0f}"


def _missing_tertiles(cases: Sequence[Case], features: int) -> list[str]:
    """Each patient's third by how many features are missing; equal counts stay together, so thirds may merge."""
    missing = np.array([features - len(case.record) for case in cases])
    edges = np.unique(np.quantile(missing, [1 / 3, 2 / 3]).astype(int))
    bounds = [-1, *edges.tolist(), features]
    place = np.searchsorted(edges, missing, side="left")
    return [_span(bounds[i] + 1, bounds[i + 1]) for i in place]


def _span(low: int, high: int) -> str:
    return f"{low} features" if low == high else f"{low} to {high} features"


def _cohort_columns(cases: Sequence[Case]) -> dict[str, list[str]]:
    """Site, and whatever else the cohort names as a subgroup."""
    variables = dict.fromkeys(variable for case in cases for variable in case.subgroups)
    return {"site": [case.site or _UNKNOWN for case in cases]} | {
        variable: [case.subgroups.get(variable, _UNKNOWN) for case in cases] for variable in variables
    }
