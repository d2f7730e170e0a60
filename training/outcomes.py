"""Words for what is predicted: labels and titles of the classes, and which of them are the reported event."""

from collections.abc import Sequence
from dataclasses import replace

from app.model_package.manifest import OutputClass
from app.model_package.naming import Task
from training.cohort import Cohort, CohortError
from training.networks.config import CLASSES, FAVOURABLE_FROM, GOS_CLASSES, Outcome

_GRADES = {
    1: ("gos_1", "Dead"),
    2: ("gos_2", "Vegetative state"),
    3: ("gos_3", "Severe disability"),
    4: ("gos_4", "Moderate disability"),
    5: ("gos_5", "Good recovery"),
}
_CLASSES: dict[tuple[Task, int], tuple[tuple[str, str], ...]] = {
    ("gos", 5): tuple(_GRADES.values()),
    ("gos", 4): (
        _GRADES[1],
        ("gos_2_3", "Vegetative state or severe disability"),
        _GRADES[4],
        _GRADES[5],
    ),
    ("gos", 2): (
        ("unfavourable", "Unfavourable outcome (GOS 1-3)"),
        ("favourable", "Favourable outcome (GOS 4-5)"),
    ),
    ("ad", 2): (("cn", "Cognitively normal"), ("ad", "Alzheimer's disease")),
}
_EVENT_FROM = {CLASSES[outcome]: first for outcome, first in FAVOURABLE_FROM.items()}


def outcome_classes(task: Task, classes: int) -> tuple[OutputClass, ...]:
    """The classes in order.

    Args:
        task: What is predicted.
        classes: How many classes the head tells apart.
    """
    return tuple(OutputClass(label=label, title=title) for label, title in _CLASSES[task, classes])


def outcome_of(task: Task, labels: Sequence[str]) -> Outcome | None:
    """Which outcome of a configuration has these labels, in order; None where none has."""
    for outcome, count in CLASSES.items():
        if [label for label, _ in _CLASSES.get((task, count), ())] == list(labels):
            return outcome
    return None


def event_from(classes: int) -> int:
    """First class index of the reported event: GOS >= 4, or AD."""
    return _EVENT_FROM[classes]


def favourable_labels(task: Task, classes: int) -> tuple[str, ...]:
    """Labels of the favourable outcome; none for a diagnosis."""
    if task != "gos":
        return ()
    return tuple(label for label, _ in _CLASSES[task, classes][event_from(classes) :])


def as_classes_of(cohort: Cohort, outcome: Outcome) -> Cohort:
    """The cohort with its labels as the head counts classes: grades are merged as the configuration says.

    Args:
        cohort: As its table tells the outcome, in grades or in two classes.
        outcome: `model.head.outcome` of the configuration.

    Raises:
        CohortError: The head tells more classes apart than the table does.
    """
    if CLASSES[outcome] == cohort.description.classes:
        return cohort
    if CLASSES[outcome] > cohort.description.classes:
        raise CohortError(
            f"the table tells {cohort.description.classes} outcomes apart, the configuration {CLASSES[outcome]}; "
            'set outcome = "binary" in [model.head]'
        )
    cases = (replace(case, label=GOS_CLASSES[outcome][case.label]) for case in cohort.cases)
    return replace(cohort, cases=tuple(cases))
