"""training.splits.folds: each patient is tested once, and smaller training sets lie within larger ones."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.volume import Modality
from training.cohort import SPLITS, Case, Cohort, CohortDescription, CohortError
from training.splits import split_cohort
from training.splits.folds import smaller, with_fold


def cohort(n: int) -> Cohort:
    description = CohortDescription(
        task="gos",
        modality=Modality.CT,
        source="-",
        outcome="y",
        positive="-",
        seed=None,
        features=(),
        minimum_features=0,
    )
    cases = [Case(f"p{i}", (Path("x"),), None, None, {}, i % 5, None) for i in range(n)]
    return Cohort(Path(), description, tuple(cases))


@given(st.integers(20, 200), st.integers(2, 6), st.integers(0, 9))
def test_every_patient_is_tested_in_exactly_one_fold(n: int, folds: int, seed: int) -> None:
    tested = [
        case.patient_id
        for part in range(1, folds + 1)
        for case in with_fold(cohort(n), (part, folds), seed).part("test")
    ]
    assert Counter(tested) == Counter(case.patient_id for case in cohort(n).cases)


@given(st.integers(50, 200), st.integers(2, 6))
def test_every_split_of_a_fold_has_the_classes_in_their_shares(n: int, folds: int) -> None:
    folded = with_fold(cohort(n), (1, folds), 0)
    for split in SPLITS:
        counts = Counter(case.label for case in folded.part(split))
        size = len(folded.part(split))
        assert all(abs(counts[label] - size / 5) <= 2 for label in range(5))


@given(st.integers(60, 200), st.integers(0, 9))
def test_smaller_training_sets_are_nested_and_the_test_set_stays(n: int, seed: int) -> None:
    whole = split_cohort(cohort(n), seed)
    training = [
        {case.patient_id for case in smaller(whole, size, seed).part("train")} for size in (10, 20, 30)
    ]
    assert training[0] < training[1] < training[2]
    assert [len(each) for each in training] == [10, 20, 30]
    assert smaller(whole, 10, seed).part("test") == whole.part("test")
    assert set(Counter(case.label for case in smaller(whole, 10, seed).part("train")).values()) <= {1, 2, 3}


def test_more_training_patients_than_there_are_is_refused() -> None:
    with pytest.raises(CohortError, match="at most"):
        smaller(split_cohort(cohort(50), 0), 51, 0)
