"""training.outcomes: a cohort's grades become the classes that the head tells apart."""

from pathlib import Path

import pytest

from app.imaging.volume import Modality
from app.model_package.naming import Task
from training.cohort import Case, Cohort, CohortDescription, CohortError
from training.features import unitless
from training.networks.config import CLASSES, Outcome
from training.outcomes import as_classes_of, event_from, outcome_classes, outcome_of


def cohort(labels: list[int], levels: dict[str, str]) -> Cohort:
    description = CohortDescription(
        task="gos", modality=Modality.CT, source="words", outcome="gos", positive="GOS 4-5", seed=None,
        features=(unitless("severity", 0, 1),), minimum_features=0, levels=levels,
    )  # fmt: skip
    cases = (Case(str(n), (Path("x"),), (), None, {}, label, None) for n, label in enumerate(labels))
    return Cohort(Path(), description, tuple(cases))


@pytest.mark.parametrize(
    ("outcome", "labels"),
    [("ordinal5", [0, 1, 2, 3, 4]), ("ordinal4", [0, 1, 1, 2, 3]), ("binary", [0, 0, 0, 1, 1])],
)
def test_however_grades_are_merged_the_event_stays_gos_4_and_5(outcome: Outcome, labels: list[int]) -> None:
    merged = as_classes_of(cohort([0, 1, 2, 3, 4], {}), outcome)
    assert [case.label for case in merged.cases] == labels
    first = event_from(len(set(labels)))
    assert [case.label >= first for case in merged.cases] == [False, False, False, True, True]


def test_a_table_of_two_outcomes_cannot_teach_grades() -> None:
    two = cohort([0, 1], {"poor": "unfavourable", "good": "favourable"})
    assert as_classes_of(two, "binary") == two
    with pytest.raises(CohortError, match="binary"):
        as_classes_of(two, "ordinal4")


@pytest.mark.parametrize(
    ("task", "outcome"), [("gos", "ordinal5"), ("gos", "ordinal4"), ("gos", "binary"), ("ad", "binary")]
)
def test_an_outcome_is_known_by_its_labels(task: Task, outcome: Outcome) -> None:
    labels = [each.label for each in outcome_classes(task, CLASSES[outcome])]
    assert outcome_of(task, labels) == outcome
    assert outcome_of(task, labels[::-1]) is None
    assert outcome_of("ad", ["mild", "moderate", "severe", "none", "unknown"]) is None
