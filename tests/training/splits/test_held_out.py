"""training.splits.held_out: no patient of the left-out site, and none of a later day, is ever trained on."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.splits.support import SITES, drawn_cohort
from training.cohort import SPLITS, CohortError
from training.splits.held_out import leave_site_out, split_by_date


@settings(max_examples=25)
@given(st.integers(60, 150), st.integers(0, 10_000), st.sampled_from(SITES))
def test_a_left_out_site_is_the_whole_test_and_nothing_else(n: int, seed: int, site: str) -> None:
    split = leave_site_out(drawn_cohort(n, seed), site, seed)
    assert {case.site for case in split.part("test")} == {site}
    assert all(case.site != site for case in split.cases if case.split != "test")
    assert all(split.part(part) for part in SPLITS)
    assert split == leave_site_out(drawn_cohort(n, seed), site, seed)


@settings(max_examples=25)
@given(st.integers(60, 150), st.integers(0, 10_000))
def test_nobody_is_trained_on_later_than_the_first_day_of_the_test(n: int, seed: int) -> None:
    first = dt.date(2020, 1, 1)
    split = split_by_date(drawn_cohort(n, seed), first, seed)
    assert all(
        case.date is not None and (case.date >= first) == (case.split == "test") for case in split.cases
    )


def test_patients_of_the_first_day_are_tested() -> None:
    cohort = drawn_cohort(60, 0)
    first = sorted(case.date for case in cohort.cases if case.date)[30]
    that_day = [case for case in split_by_date(cohort, first, 0).cases if case.date == first]
    assert that_day
    assert {case.split for case in that_day} == {"test"}


def test_what_cannot_be_held_out_is_refused_with_what_there_is() -> None:
    cohort = drawn_cohort(60, 0)
    with pytest.raises(CohortError, match="'east', 'north', 'west'"):
        leave_site_out(cohort, "south", 0)
    with pytest.raises(CohortError, match="0 before"):
        split_by_date(cohort, dt.date(1990, 1, 1), 0)
    unknown = replace(cohort, cases=(replace(cohort.cases[0], site=None, date=None), *cohort.cases[1:]))
    with pytest.raises(CohortError, match="1 patients have no hospital"):
        leave_site_out(unknown, "east", 0)
    with pytest.raises(CohortError, match="1 patients have no day"):
        split_by_date(unknown, dt.date(2020, 1, 1), 0)
    bare = replace(cohort, description=cohort.description.model_copy(update={"site": None, "date": None}))
    with pytest.raises(CohortError, match="names no column of sites"):
        leave_site_out(bare, "east", 0)
    with pytest.raises(CohortError, match="names no column of dates"):
        split_by_date(bare, dt.date(2020, 1, 1), 0)


def test_a_site_of_two_spellings_is_not_left_out_by_one_of_them() -> None:
    """The patients under the other would be trained on."""
    cohort = drawn_cohort(60, 0)
    first = next(case for case in cohort.cases if case.site == "north")
    spelt = replace(
        cohort, cases=tuple(replace(case, site="North") if case is first else case for case in cohort.cases)
    )
    with pytest.raises(CohortError, match=r"\['North'\] are spelt like 'north'.*trained on"):
        leave_site_out(spelt, "north", 0)
    assert leave_site_out(spelt, "west", 0).part("test")
