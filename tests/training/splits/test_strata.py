"""training.splits.strata: both orders hold everyone once, and neighbours are alike or evenly mixed."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.splits.support import drawn_cohort
from training.splits.strata import evenly_by_strata, sorted_by_strata, strata

SEEDS = st.integers(0, 10_000)


@settings(max_examples=25)
@given(st.integers(1, 80), SEEDS)
def test_both_orders_hold_every_patient_once(n: int, seed: int) -> None:
    cases = drawn_cohort(n, seed).cases
    for order in (sorted_by_strata, evenly_by_strata):
        ordered = order(cases, np.random.default_rng(seed))
        assert Counter(case.patient_id for case in ordered) == Counter(case.patient_id for case in cases)


@settings(max_examples=25)
@given(st.integers(2, 8), SEEDS)
def test_dealt_round_and_round_every_stratum_is_shared_out_within_one_patient(parts: int, seed: int) -> None:
    cases = drawn_cohort(90, seed).cases
    stratum = dict(zip((case.patient_id for case in cases), strata(cases), strict=True))
    order = sorted_by_strata(cases, np.random.default_rng(seed))
    for factors in (1, 2, 3, 4):  # class; class and sex; and so on
        counts = [
            Counter(stratum[case.patient_id][:factors] for case in order[k::parts]) for k in range(parts)
        ]
        for level in {each[:factors] for each in stratum.values()}:
            shares = [count[level] for count in counts]
            assert max(shares) - min(shares) <= 1


@settings(max_examples=25)
@given(st.floats(0.1, 0.6), SEEDS)
def test_a_stretch_of_the_even_order_has_every_large_stratum_near_its_share(share: float, seed: int) -> None:
    cases = [case for case in drawn_cohort(400, seed).cases if case.label == 0]
    known = strata(cases)
    groups = len(set(known))
    order = evenly_by_strata(cases, np.random.default_rng(seed))
    cut = strata(order)[: round(share * len(order))]
    for stratum, size in Counter(known).items():
        # A stretch of ranks is a stretch of places but for one patient of each stratum.
        assert abs(cut.count(stratum) - share * size) <= 1 + size * (groups + 1) / len(cases)


@settings(max_examples=25)
@given(st.integers(1, 80), SEEDS)
def test_neither_order_depends_on_that_of_the_table(n: int, seed: int) -> None:
    cases = drawn_cohort(n, seed).cases
    shuffled = [cases[index] for index in np.random.default_rng(seed).permutation(n)]
    for order in (sorted_by_strata, evenly_by_strata):
        first, second = (order(some, np.random.default_rng(seed)) for some in (cases, shuffled))
        assert first == second


def test_what_a_cohort_does_not_know_is_one_level_for_all() -> None:
    cases = drawn_cohort(60, 1).cases
    bare = [type(case)(case.patient_id, case.image, (), None, {}, case.label, None) for case in cases]
    assert {stratum[1:] for stratum in strata(bare)} == {("", -1, "")}
