"""training.splits.folds: everyone is tested once per repeat, no inner part sees the test, smaller training sets lie within larger ones."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.splits.support import drawn_cohort
from training.cohort import SPLITS, CohortError
from training.splits import split_cohort
from training.splits.folds import smaller, with_fold

SEEDS = st.integers(0, 10_000)


@settings(max_examples=25)
@given(st.integers(30, 120), st.integers(2, 6), SEEDS)
def test_every_patient_is_tested_once_and_stands_in_one_split_of_each_fold(n: int, k: int, seed: int) -> None:
    cohort = drawn_cohort(n, seed)
    tested: Counter[str] = Counter()
    for part in range(1, k + 1):
        folded = with_fold(cohort, (part, k), seed)
        assert [case.patient_id for case in folded.cases] == [case.patient_id for case in cohort.cases]
        assert sum(len(folded.part(split)) for split in SPLITS) == n
        tested.update(case.patient_id for case in folded.part("test"))
    assert tested == Counter(case.patient_id for case in cohort.cases)


@settings(max_examples=25)
@given(st.integers(60, 160), st.integers(2, 6), SEEDS)
def test_folds_have_equally_many_of_each_class_within_one(n: int, k: int, seed: int) -> None:
    cohort = drawn_cohort(n, seed)
    counts = [
        Counter(case.label for case in with_fold(cohort, (part, k), seed).part("test"))
        for part in range(1, k + 1)
    ]
    for label in range(5):
        assert max(c[label] for c in counts) - min(c[label] for c in counts) <= 1
    assert max(c.total() for c in counts) - min(c.total() for c in counts) <= 1


@settings(max_examples=25)
@given(SEEDS)
def test_the_same_seed_deals_the_same_folds_and_another_repeat_others(seed: int) -> None:
    cohort = drawn_cohort(80, 3)
    assert with_fold(cohort, (2, 5), seed) == with_fold(cohort, (2, 5), seed)
    assert with_fold(cohort, (2, 5), seed) != with_fold(cohort, (2, 5), seed + 1000)


@settings(max_examples=25)
@given(st.integers(60, 200), st.integers(0, 9))
def test_smaller_training_sets_are_nested_and_the_test_set_stays(n: int, seed: int) -> None:
    whole = split_cohort(drawn_cohort(n, seed), seed)
    training = [
        {case.patient_id for case in smaller(whole, size, seed).part("train")} for size in (10, 20, 30)
    ]
    assert training[0] < training[1] < training[2]
    assert [len(each) for each in training] == [10, 20, 30]
    assert smaller(whole, 10, seed).part("test") == whole.part("test")


def test_more_training_patients_than_there_are_is_refused() -> None:
    with pytest.raises(CohortError, match="at most"):
        smaller(split_cohort(drawn_cohort(50, 0), 0), 51, 0)
