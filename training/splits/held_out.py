"""Tests that ask more than a random one: another hospital, or later patients."""

import datetime as dt
from collections.abc import Set
from dataclasses import replace

from training.cohort import Cohort, CohortError, Split
from training.spelling import plain
from training.splits.shares import INNER_SHARES, deal


def held_out(cohort: Cohort, tested: Set[str], seed: int) -> Cohort:
    """Chosen patients are the test split; the others are dealt into training, validation and calibration.

    Args:
        cohort: Its own splits are set aside.
        tested: Pseudonyms.
        seed: Decides the deal of the others.
    """
    others = [case for case in cohort.cases if case.patient_id not in tested]
    split = deal(others, INNER_SHARES, seed)
    test: Split = "test"
    split |= dict.fromkeys(tested, test)
    return replace(cohort, cases=tuple(replace(case, split=split[case.patient_id]) for case in cohort.cases))


def leave_site_out(cohort: Cohort, site: str, seed: int) -> Cohort:
    """Test on one site, train on all others.

    Args:
        cohort: Whose description names the site's column.
        site: As the table writes it.
        seed: Decides the deal of the others.

    Raises:
        CohortError: The description names no site, the site is unknown or the only one, or written in another way too, or a patient has none.
    """
    if cohort.description.site is None:
        raise CohortError('cohort.json names no column of sites; add "site": "<column>"')
    known = sorted({case.site for case in cohort.cases if case.site})
    if site not in known or known == [site]:
        raise CohortError(f"expected one of several sites, found {site!r} for the sites {known}")
    if alike := [other for other in known if other != site and plain(other) == plain(site)]:
        raise CohortError(
            f"{alike} are spelt like {site!r}, and their patients would be trained on; write one site one way in the table"
        )
    _require_known(sum(case.site is None for case in cohort.cases), cohort.description.site)
    return held_out(cohort, {case.patient_id for case in cohort.cases if case.site == site}, seed)


def split_by_date(cohort: Cohort, first: dt.date, seed: int) -> Cohort:
    """Test on patients from a day on, train on those before it.

    Args:
        cohort: Whose description names the date's column.
        first: First day of the test.
        seed: Decides the deal of the others.

    Raises:
        CohortError: The description names no date, a patient has none, or all stand on one side of the day.
    """
    if cohort.description.date is None:
        raise CohortError('cohort.json names no column of dates; add "date": "<column>"')
    days = {case.patient_id: case.date for case in cohort.cases if case.date}
    _require_known(len(cohort.cases) - len(days), cohort.description.date)
    later = {patient for patient, day in days.items() if day >= first}
    if not 0 < len(later) < len(days):
        raise CohortError(
            f"expected patients before and from {first}, found {len(days) - len(later)} before and {len(later)} from it"
        )
    return held_out(cohort, later, seed)


def _require_known(unknown: int, column: str) -> None:
    if unknown:
        raise CohortError(
            f"{unknown} patients have no {column}, so nobody knows whether they belong to the test; "
            "fill the cells in or leave these rows out"
        )
