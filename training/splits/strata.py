"""Patients in an order from which any regular deal is stratified: by outcome, then sex, age tertile and site.

Strata of this many factors are often smaller than the number of parts, where dealing each on its own would fail or heap the
remainders up. Sorting by all factors and dealing along the order (implicit stratification by systematic sampling; Kish,
Survey Sampling, 1965, chapter 4) balances every stratum as well as its size allows, and every union of neighbours too.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from training.cohort import Case

TERTILES = (1 / 3, 2 / 3)
Stratum = tuple[int, str, int, str]


def strata(cases: Sequence[Case]) -> list[Stratum]:
    """Class, sex, age tertile among these patients, and site; what a cohort does not have is one level for all.

    Args:
        cases: Patients.
    """
    ages = [age for case in cases if isinstance(age := case.record.get("age"), int | float)]
    edges = np.quantile(ages, TERTILES) if ages else np.empty(0)
    return [
        (
            case.label,
            str(case.record.get("sex", "")),
            _tertile(case.record.get("age"), edges),
            case.site or "",
        )
        for case in cases
    ]


def sorted_by_strata(cases: Sequence[Case], rng: np.random.Generator) -> list[Case]:
    """Stratum after stratum, in random order within each: to be dealt round and round.

    Args:
        cases: Patients, in whatever order.
        rng: Decides the order within strata.
    """
    cases = sorted(cases, key=lambda case: case.patient_id)
    keyed = zip(strata(cases), rng.permutation(len(cases)), cases, strict=True)
    return [case for *_, case in sorted(keyed, key=lambda entry: entry[:2])]


def evenly_by_strata(cases: Sequence[Case], rng: np.random.Generator) -> list[Case]:
    """An order in which any stretch has the strata in their shares, as nearly as their sizes allow: to be cut.

    Args:
        cases: Patients, in whatever order.
        rng: Decides the order within strata, and where each begins.
    """
    members: dict[Stratum, list[Case]] = defaultdict(list)
    for stratum, case in sorted(
        zip(strata(cases), cases, strict=True), key=lambda pair: (pair[0], pair[1].patient_id)
    ):
        members[stratum].append(case)
    place: dict[str, float] = {}
    for group in members.values():
        start = rng.random()  # else a stratum of one would stand in the middle of every draw
        for rank, index in enumerate(rng.permutation(len(group))):
            place[group[index].patient_id] = (rank + start) / len(group)
    return sorted(cases, key=lambda case: (place[case.patient_id], case.patient_id))


def _tertile(age: object, edges: np.ndarray) -> int:
    return int(np.searchsorted(edges, age, side="right")) if isinstance(age, int | float) else -1
