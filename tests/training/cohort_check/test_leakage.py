"""A feature leaks by what it holds, and as much by being there."""

from pathlib import Path

from tests.training.cohort_check.test_report import PATIENTS, found, write_cohort

LINES = range(2, PATIENTS + 2)
"""Outcomes are good in every second of them."""


def test_a_feature_that_is_known_of_those_alone_who_fare_well_is_a_leak(tmp_path: Path) -> None:
    """As what is measured at a visit that the others did not live to see."""
    told = {(line, "age"): str(40 + line % 20) if line % 2 else "" for line in LINES}
    assert found(write_cohort(tmp_path, told))["leak-by-value"].column == "age"


def test_a_feature_that_is_missing_as_often_whatever_the_outcome_is_none(tmp_path: Path) -> None:
    some = {(line, "age"): "" for line in LINES if line % 3 == 0}
    assert "leak-by-value" not in found(write_cohort(tmp_path, some))
