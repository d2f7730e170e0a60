"""training.splits.shares: every patient in one split, outcomes in proportion, draws repeatable."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.imaging.volume import Modality
from training.cohort import SPLITS, Case, Cohort, CohortDescription
from training.features import unitless
from training.splits import split_cohort

DESCRIPTION = CohortDescription(
    task="gos",
    modality=Modality.CT,
    source="phantoms",
    outcome="gos",
    positive="GOS 4-5",
    seed=1,
    features=(unitless("severity", 0, 1),),
    minimum_features=0,
)


def cohort_of(labels: list[int]) -> Cohort:
    cases = (
        Case(str(number), (Path("x"),), (), None, {}, label, None) for number, label in enumerate(labels)
    )
    return Cohort(Path(), DESCRIPTION, tuple(cases))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(0, 1000))
def test_every_patient_gets_exactly_one_split_and_order_is_kept(labels: list[int], seed: int) -> None:
    split = split_cohort(cohort_of(labels), seed)
    assert [case.patient_id for case in split.cases] == [str(number) for number in range(len(labels))]
    assert all(case.split in SPLITS for case in split.cases)


@given(st.integers(0, 1000))
def test_the_same_seed_gives_the_same_split(seed: int) -> None:
    cohort = cohort_of([0, 1, 2, 3, 4] * 20)
    assert split_cohort(cohort, seed) == split_cohort(cohort, seed)


def test_outcomes_stay_in_proportion() -> None:
    split = split_cohort(cohort_of([0] * 100 + [4] * 300), seed=1)
    shares = Counter((case.label, case.split) for case in split.cases)
    assert [shares[0, name] for name in SPLITS] == [60, 12, 13, 15]
    assert [shares[4, name] for name in SPLITS] == [180, 36, 39, 45]


def test_a_test_that_the_table_names_gets_nobody_else() -> None:
    """Such as the patients of a later year: dealt ones among them would make it a test of something else."""
    cohort = cohort_of([0, 1, 2, 3, 4] * 20)
    named = replace(
        cohort, cases=tuple(replace(case, split="test") if case.label == 0 else case for case in cohort.cases)
    )
    split = split_cohort(named, seed=1)
    assert {case.label for case in split.part("test")} == {0}
    assert [len(split.part(name)) for name in SPLITS] == [56, 16, 8, 20]


def test_a_split_named_in_the_table_is_kept() -> None:
    cohort = cohort_of([0] * 10)
    fixed = replace(cohort, cases=tuple(replace(case, split="test") for case in cohort.cases))
    assert split_cohort(fixed, seed=1) == fixed
