"""One split of all patients by shares, stratified; what the table decides stays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from training.cohort import SPLITS, Case, Cohort, Split
from training.splits.strata import evenly_by_strata

DEFAULT_SHARES: Mapping[Split, float] = {"train": 0.6, "validation": 0.12, "calibration": 0.13, "test": 0.15}
INNER_SHARES: Mapping[Split, float] = {"train": 0.72, "validation": 0.16, "calibration": 0.12}
"""Of the patients that are not tested."""


def split_cohort(cohort: Cohort, seed: int) -> Cohort:
    """Give every patient without a split one, stratified by outcome, sex, age and site.

    Rows that name their split keep it; where any of them names the test, nobody else is dealt into it: it was chosen. One row is one
    patient (`load_cohort` checks), so a split by row is a split by patient.

    Args:
        cohort: Checked cohort.
        seed: Decides the draw.
    """
    shares = INNER_SHARES if cohort.part("test") else DEFAULT_SHARES
    assigned = deal([case for case in cohort.cases if case.split is None], shares, seed)
    cases = tuple(replace(case, split=case.split or assigned[case.patient_id]) for case in cohort.cases)
    return replace(cohort, cases=cases)


def deal(cases: Sequence[Case], shares: Mapping[Split, float], seed: int) -> dict[str, Split]:
    """Patients to splits; every class is dealt on its own and gets its shares within one patient.

    Args:
        cases: Patients.
        shares: Share of each split; sums to 1.
        seed: Decides the draw.

    Returns:
        Split by pseudonym.
    """
    rng = np.random.default_rng(seed)
    splits = [split for split in SPLITS if split in shares]
    ends = np.cumsum([shares[split] for split in splits])
    assigned: dict[str, Split] = {}
    for label in sorted({case.label for case in cases}):
        order = evenly_by_strata([case for case in cases if case.label == label], rng)
        for rank, case in enumerate(order):
            place = int(np.searchsorted(ends * len(order), rank + 0.5).clip(max=len(splits) - 1))
            assigned[case.patient_id] = splits[place]
    return assigned
