"""Cross-validation: K test folds, each with inner parts to train, validate and calibrate on; and nested smaller training sets."""

from dataclasses import replace

import numpy as np

from training.cohort import Cohort, CohortError
from training.splits.held_out import held_out
from training.splits.strata import evenly_by_strata, sorted_by_strata

FOLDS_VERSION = 3
"""Raised when other patients would come into a fold, so that jobs of another division are not taken for these."""


def with_fold(cohort: Cohort, fold: tuple[int, int], seed: int) -> Cohort:
    """Deal all patients into K folds alike; one is the test split, the others are dealt into the other splits.

    No fold has more patients, or more of a class, than another by more than one.

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
    order = sorted_by_strata(cohort.cases, np.random.default_rng(seed))
    return held_out(cohort, {case.patient_id for case in order[part - 1 :: parts]}, seed + part)


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
    rng = np.random.default_rng(seed)
    place: dict[str, float] = {}
    for label in sorted({case.label for case in training}):
        order = evenly_by_strata([case for case in training if case.label == label], rng)
        place |= {case.patient_id: (rank + 0.5) / len(order) for rank, case in enumerate(order)}
    kept = set(sorted(place, key=lambda patient: place[patient])[:size])
    cases = tuple(case for case in cohort.cases if case.split != "train" or case.patient_id in kept)
    return replace(cohort, cases=cases)
