"""Who trains and who judges: patients are split once, stratified by outcome, and never cross over."""

from dataclasses import replace

import numpy as np

from training.cohort import SPLITS, Case, Cohort, Split

DEFAULT_SHARES: dict[Split, float] = {"train": 0.6, "validation": 0.12, "calibration": 0.13, "test": 0.15}


def split_cohort(cohort: Cohort, seed: int, shares: dict[Split, float] | None = None) -> Cohort:
    """Give every patient without a split one, stratified by outcome class.

    Rows that name their split keep it. One row is one patient (`load_cohort` checks), so a split by row is a
    split by patient.

    Args:
        cohort: Checked cohort.
        seed: Decides the draw.
        shares: Share of each split; sums to 1.
    """
    shares = shares or DEFAULT_SHARES
    rng = np.random.default_rng(seed)
    assigned: dict[str, Split] = {}
    for label in sorted({case.label for case in cohort.cases}):
        open_cases = [case for case in cohort.cases if case.label == label and case.split is None]
        assigned |= _deal(open_cases, shares, rng)
    cases = tuple(replace(case, split=case.split or assigned[case.patient_id]) for case in cohort.cases)
    return replace(cohort, cases=cases)


def _deal(cases: list[Case], shares: dict[Split, float], rng: np.random.Generator) -> dict[str, Split]:
    ends = np.cumsum([shares[split] for split in SPLITS]) * len(cases)
    order = rng.permutation(len(cases))
    return {
        cases[index].patient_id: SPLITS[int(np.searchsorted(ends, rank + 0.5).clip(max=len(SPLITS) - 1))]
        for rank, index in enumerate(order)
    }
