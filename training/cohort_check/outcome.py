"""The outcome: words that mean nothing, a scale read the wrong way round, and classes too small to learn or to measure."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np

from training.cohort_check.finding import Finding, error, warning
from training.cohort_check.record import number
from training.cohort_check.table import Table
from training.metrics import auroc
from training.networks.config import CLASSES, Outcome
from training.outcomes import event_from, outcome_classes

FEWEST_CASES = 20
GCS_TOTAL: Final = "9269-2"
GCS_NAME: Final = "gcs"
"""Where a description gives no code; the clinical scores know it by this name, too."""
REVERSED_BELOW: Final = 0.4
"""AUROC of the Glasgow Coma Scale for a favourable outcome; patients who were awake on admission do better everywhere, with about 0.8."""
FEWEST_TO_COMPARE: Final = 10
_GRADES = 5
_COARSER: tuple[Outcome, ...] = ("ordinal4", "binary")


def labels(table: Table) -> dict[int, int]:
    """Line to class index, of the rows whose outcome is known."""
    words = table.description.outcome_words
    return {line: words[text] for line, text in table.cells(table.description.outcome) if text in words}


def check_outcome(table: Table, outcome: Outcome | None) -> Iterator[Finding]:
    """Cells of the outcome's column, and the sizes of its classes.

    Args:
        table: The cohort.
        outcome: How the configuration groups grades; None where none is given.
    """
    description = table.description
    words = description.outcome_words
    cells = table.cells(description.outcome)
    if empty := [line for line, text in cells if not text]:
        yield error(
            "outcome-missing",
            "Patients have no outcome.",
            "Fill the cells in or leave the rows out; nothing can be learnt from them.",
            column=description.outcome,
            rows=empty,
        )
    if unknown := [line for line, text in cells if text and text not in words]:
        yield error(
            "outcome-unknown",
            "Cells are none of the outcome's words.",
            f'Write {", ".join(words)}; or map your own words by "levels" in cohort.json.',
            column=description.outcome,
            rows=unknown,
        )
    events = {label >= event_from(description.classes) for label in labels(table).values()}
    if len(events) == 1:
        yield error(
            "outcome-constant",
            f"{'Every patient has' if True in events else 'No patient has'} the event that is reported.",
            'Add the others; or correct "levels" in cohort.json, if it merges them.',
            column=description.outcome,
        )
    if events:  # of an outcome that cannot be read, no class is too small
        yield from _small_classes(table, outcome)


def check_direction(table: Table) -> Iterator[Finding]:
    """Is a favourable outcome one? Scales that count from dead to well and from well to dead share their numbers."""
    features = table.description.features
    gcs = next((each for each in features if each.loinc == GCS_TOTAL or each.name == GCS_NAME), None)
    if table.description.task != "gos" or gcs is None:
        return
    label, first = labels(table), event_from(table.description.classes)
    known = [
        (value, label[line] >= first)
        for line, text in table.cells(gcs.name)
        if line in label and (value := number(text)) is not None
    ]
    events = sum(event for _, event in known)
    if min(events, len(known) - events) < FEWEST_TO_COMPARE:
        return
    area = auroc(np.array([value for value, _ in known]), np.array([event for _, event in known]))
    if area < REVERSED_BELOW:
        yield error(
            "outcome-reversed",
            f"Patients with a higher Glasgow Coma Scale fare worse (AUROC {area:.2f}).",
            "Outcomes are read as GOS, 1 dead to 5 good recovery; if yours count the other way round, or on another scale such as the modified "
            'Rankin scale, map them by "levels" in cohort.json.',
            column=table.description.outcome,
        )


def class_counts(table: Table) -> dict[str, int]:
    """Title of each class to its cases."""
    counts = Counter(labels(table).values())
    known = outcome_classes(table.description.task, table.description.classes)
    return {each.title: counts[index] for index, each in enumerate(known)}


def _small_classes(table: Table, outcome: Outcome | None) -> Iterator[Finding]:
    counts = Counter(labels(table).values())
    if table.description.classes < _GRADES:
        sizes = class_counts(table)
        remedy = "Numbers about them will have very wide intervals; collect more patients."
    else:
        grouping: Outcome = outcome or "ordinal5"
        sizes = {
            f"GOS {' and '.join(map(str, grades))}": _size(counts, grades) for grades in _grades_of(grouping)
        }
        remedy = _advice(grouping, counts)
    small = [f"{title} ({count})" for title, count in sizes.items() if count < FEWEST_CASES]
    if small:
        yield warning(
            "class-small",
            f"Fewer than {FEWEST_CASES} cases: {', '.join(small)}.",
            remedy,
            column=table.description.outcome,
        )


def _size(counts: Counter[int], grades: tuple[int, ...]) -> int:
    return sum(counts[grade - 1] for grade in grades)


def _grades_of(outcome: Outcome) -> tuple[tuple[int, ...], ...]:
    groups: dict[int, tuple[tuple[int, ...], ...]] = {
        5: ((1,), (2,), (3,), (4,), (5,)),
        4: ((1,), (2, 3), (4,), (5,)),
        2: ((1, 2, 3), (4, 5)),
    }
    return groups[CLASSES[outcome]]


def _advice(grouping: Outcome, counts: Counter[int]) -> str:
    coarser: list[Outcome] = [each for each in _COARSER if CLASSES[each] < CLASSES[grouping]]
    for each in coarser:
        if all(_size(counts, grades) >= FEWEST_CASES for grades in _grades_of(each)):
            merged = "merges 2 and 3" if each == "ordinal4" else "tells GOS 4-5 from 1-3"
            return f'Merge: set outcome = "{each}" in [model.head], which {merged}.'
    return f"Even GOS 1-3 against 4-5 has a class under {FEWEST_CASES}; collect more patients."
