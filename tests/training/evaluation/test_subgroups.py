"""training.evaluation.subgroups: everyone is in one group of each variable, and small groups are named without numbers."""

from dataclasses import replace

import numpy as np
import pytest

from app.ehr.reference import GOS_SCHEMA
from tests.training.evaluation.support import cohort_of, ordinal_predictions
from training.calibrate import Scaling
from training.evaluation import statistics
from training.evaluation.answers import answers
from training.evaluation.bootstrap import Resamples
from training.evaluation.subgroups import FEWEST, Subgroup, _age_band, find_subgroups, judge_subgroups

PREDICTIONS = ordinal_predictions(600, seed=1)
CASES = cohort_of(PREDICTIONS).cases[::-1]


def test_the_groups_of_a_variable_hold_every_patient_once() -> None:
    groups = find_subgroups(CASES, GOS_SCHEMA.features)
    variables = dict.fromkeys(group.variable for group in groups)
    assert list(variables) == ["sex", "age", "record missing"]
    for variable in variables:
        members = np.sum([group.chosen for group in groups if group.variable == variable], axis=0)
        assert (members == 1).all()


def test_groups_are_what_they_say() -> None:
    for group in find_subgroups(CASES, GOS_SCHEMA.features):
        for case, chosen in zip(CASES, group.chosen, strict=True):
            age = case.record.get("age")
            if group.variable == "sex":
                assert chosen == (case.record.get("sex", "not recorded") == group.level)
            elif group.level == "55 to 64":
                assert chosen == (isinstance(age, float) and 55 <= age < 65)
            elif group.variable == "age" and group.level == "not recorded":
                assert chosen == (age is None)


def test_the_cohorts_own_columns_make_groups_and_what_nobody_noted_is_a_level() -> None:
    placed = [
        replace(case, site="north" if i % 3 else "south", subgroups={"surgery": "yes"} if i % 2 else {})
        for i, case in enumerate(CASES)
    ]
    found = {
        (group.variable, group.level): group.chosen for group in find_subgroups(placed, GOS_SCHEMA.features)
    }
    np.testing.assert_array_equal(found["site", "south"], np.arange(600) % 3 == 0)
    np.testing.assert_array_equal(found["surgery", "yes"], np.arange(600) % 2 == 1)
    np.testing.assert_array_equal(found["surgery", "not recorded"], np.arange(600) % 2 == 0)


def test_levels_stand_by_their_numbers_whatever_signs_they_are_written_with() -> None:
    """A sign such as \u2461 or \u00b2 is a digit, and no number to Python."""
    levels = ("grade 10", "grade 9", "\u2461", "5\u00b2")
    placed = [replace(case, subgroups={"level": levels[i % 4]}) for i, case in enumerate(CASES)]
    found = [group.level for group in find_subgroups(placed, ()) if group.variable == "level"]
    assert sorted(found) == sorted(levels)
    assert found.index("grade 9") < found.index("grade 10")


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (54.9, "under 55"),
        (55, "55 to 64"),
        (64.9, "55 to 64"),
        (65, "65 to 74"),
        (85, "85 and over"),
        (None, "not recorded"),
    ],
)
def test_an_age_on_an_edge_is_of_the_band_that_begins_there(age: object, band: str) -> None:
    assert _age_band(age, "a") == band


def test_ages_in_months_have_the_bands_of_their_years() -> None:
    """As they stand, all adults would be 85 and over."""
    features = tuple(
        each.model_copy(update={"unit": "mo", "plausible_range": (216, 1320)}) if each.name == "age" else each
        for each in GOS_SCHEMA.features
    )
    months = [
        replace(case, record=case.record | ({"age": 12 * age} if isinstance(age, float) else {}))
        for case, age in ((case, case.record.get("age")) for case in CASES)
    ]
    for group, expected in zip(
        find_subgroups(months, features), find_subgroups(CASES, GOS_SCHEMA.features), strict=True
    ):
        assert (group.variable, group.level) == (expected.variable, expected.level)
        np.testing.assert_array_equal(group.chosen, expected.chosen)


def test_age_that_the_cohort_names_as_a_subgroup_too_keeps_its_bands() -> None:
    """Its column has a level for every year, of which there are too many for groups."""
    named = [replace(case, subgroups={"age": str(case.record.get("age", ""))}) for case in CASES]
    assert {
        group.level for group in find_subgroups(named, GOS_SCHEMA.features) if group.variable == "age"
    } == {group.level for group in find_subgroups(CASES, GOS_SCHEMA.features) if group.variable == "age"}


def test_ages_that_are_categories_are_groups_as_they_stand() -> None:
    levels = ("under 65", "65 and over")
    banded = [replace(case, record=case.record | {"age": levels[n % 2]}) for n, case in enumerate(CASES)]
    found = find_subgroups(banded, GOS_SCHEMA.features)
    assert {group.level for group in found if group.variable == "age"} == set(levels)


def test_a_variable_with_one_level_makes_no_groups() -> None:
    women = [case for case in CASES if case.record.get("sex") == "female"]
    assert "sex" not in {group.variable for group in find_subgroups(women, GOS_SCHEMA.features)}


def test_a_group_with_nine_events_gets_no_numbers_and_one_with_ten_does() -> None:
    given = answers(PREDICTIONS, Scaling(1.0, 0.0))
    events, others = np.flatnonzero(given.event), np.flatnonzero(~given.event)
    for count in (FEWEST - 1, FEWEST):
        chosen = np.zeros(len(given), dtype=bool)
        chosen[np.r_[events[:count], others[:40]]] = True
        (group,) = judge_subgroups(given, [Subgroup("site", "A", chosen)])
        assert (group.n, group.events) == (count + 40, count)
        assert group.too_few == (count < FEWEST)
        assert bool(group.metrics) == (count >= FEWEST)


def test_intervals_of_a_group_allow_for_how_few_of_it_had_the_event() -> None:
    given = answers(PREDICTIONS, Scaling(1.0, 0.0))
    events, others = np.flatnonzero(given.event), np.flatnonzero(~given.event)
    chosen = np.zeros(len(given), dtype=bool)
    chosen[np.r_[events[:12], others[:100]]] = True
    (group,) = judge_subgroups(given, [Subgroup("site", "A", chosen)])
    own = given.take(chosen)
    area = statistics.auroc(own.event_probability, own.event)
    assert group.metrics[0] == Resamples(112, event=own.event).estimate(area).metric("auroc")
    assert group.metrics[0] != Resamples(112).estimate(area).metric("auroc")


def test_numbers_of_a_group_look_at_its_patients_only() -> None:
    given = answers(PREDICTIONS, Scaling(1.0, 0.0))
    half = np.arange(len(given)) < 300
    (group,) = judge_subgroups(given, [Subgroup("site", "A", half)])
    (alone,) = judge_subgroups(given.take(half), [Subgroup("site", "A", np.ones(300, dtype=bool))])
    assert group == alone
    assert all(metric.n == 300 for metric in group.metrics)
