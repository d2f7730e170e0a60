"""Which patients a job trains on and is tested on: the cohort's own splits, a fold, or a smaller training split."""

from dataclasses import replace

import numpy as np

from training.cohort import Case, Cohort, CohortError, Split

INNER_SHARES: dict[Split, float] = {"validation": 0.16, "calibration": 0.12}
"""Of the patients outside the test fold; the rest train."""


def with_fold(cohort: Cohort, fold: tuple[int, int], seed: int) -> Cohort:
    """Deal all patients into K folds of like outcomes; one is the test split, the others are dealt into the other splits.

    Args:
        cohort: Its own splits are set aside.
        fold: (i, k), part i of k counted from 1.
        seed: Decides the division; the K folds of one seed have no patient in common.

    Raises:
        CohortError: There are fewer patients than folds.
    """
    part, parts = fold
    if len(cohort.cases) < parts:
        raise CohortError(
            f"expected at least one patient per fold, found {len(cohort.cases)} for {parts} folds"
        )
    # Dealt round and round, class after class: no fold has more of a class, or of patients, than another by over one.
    by_class = sorted(_evenly_by_class(cohort.cases, seed), key=lambda case: case.label)
    tested = {case.patient_id for case in by_class[part - 1 :: parts]}
    others = _evenly_by_class(
        tuple(case for case in cohort.cases if case.patient_id not in tested), seed + part
    )
    split: dict[str, Split] = dict.fromkeys(tested, "test")
    # Every stretch of the even order has the classes in their shares.
    validation, calibration = (round(share * len(others)) for share in INNER_SHARES.values())
    for index, case in enumerate(others):
        inner: Split = "validation" if index < validation else "calibration"
        split[case.patient_id] = inner if index < validation + calibration else "train"
    return replace(cohort, cases=tuple(replace(case, split=split[case.patient_id]) for case in cohort.cases))


def smaller(cohort: Cohort, size: int, seed: int) -> Cohort:
    """The cohort with only some of its training patients; the other splits stay whole.

    The patients of a smaller size are among those of every larger one (nested), and every outcome class keeps its share.

    Args:
        cohort: Every patient in a split.
        size: Training patients to keep.
        seed: Decides who.

    Raises:
        CohortError: There are not so many training patients.
    """
    training = cohort.part("train")
    if size > len(training):
        raise CohortError(
            f"expected at most {len(training)} training patients to choose from, found size {size}"
        )
    kept = {case.patient_id for case in _evenly_by_class(training, seed)[:size]}
    cases = tuple(case for case in cohort.cases if case.split != "train" or case.patient_id in kept)
    return replace(cohort, cases=cases)


def _evenly_by_class(cases: tuple[Case, ...], seed: int) -> list[Case]:
    """All cases in an order whose every beginning has the classes in their shares."""
    rng = np.random.default_rng(seed)
    place: dict[str, float] = {}
    for label in sorted({case.label for case in cases}):
        members = [case for case in cases if case.label == label]
        for rank, index in enumerate(rng.permutation(len(members))):
            place[members[index].patient_id] = (rank + 0.5) / len(members)
    return sorted(cases, key=lambda case: place[case.patient_id])
