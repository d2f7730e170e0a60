"""training.evaluation.cohort_table: each variable in the form its kind and shape ask for, by split."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.evaluation.support import cohort_of, ordinal_predictions
from training.cohort import Cohort
from training.evaluation.cohort_table import cohort_table
from training.evaluation.document import Characteristic

GRADES = ("Dead", "Vegetative", "Severe", "Moderate", "Good")


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    plain = cohort_of(ordinal_predictions(6, seed=1))
    records: list[dict[str, object]] = [
        {"age": 60.0, "sex": "female", "glucose": 5.0, "hypertension": "yes"},
        {"age": 70.0, "sex": "male", "glucose": 6.0, "hypertension": "no"},
        {"age": 80.0, "sex": "male", "glucose": 5.5, "hypertension": "no"},
        {"age": 50.0, "sex": "female", "glucose": 30.0},
        {"age": 60.0, "sex": "female", "glucose": 5.2},
        {"age": 70.0, "sex": "female", "glucose": 5.1},
    ]
    cases = tuple(
        replace(
            case,
            record=record,
            split="train" if index < 3 else "test",
            site=("north", None, "south")[index % 3],
        )
        for index, (case, record) in enumerate(zip(plain.cases, records, strict=True))
    )
    return replace(plain, cases=cases)


@pytest.fixture(scope="module")
def table(cohort: Cohort) -> dict[str, Characteristic]:
    return {line.variable: line for line in cohort_table(cohort, np.array([0, 0, 4, 4, 4, 4]), GRADES)}


def test_patients_and_outcomes_are_counted(table: dict[str, Characteristic]) -> None:
    assert table["Patients"].by_split == {"train": "3", "test": "3"}
    assert table["Outcome: Dead, n (%)"].by_split == {"train": "2 (67%)", "test": "0 (0%)"}


def test_a_symmetric_number_has_mean_and_standard_deviation(table: dict[str, Characteristic]) -> None:
    line = table["Age, mean (SD)"]
    assert (line.unit, line.by_split) == ("a", {"train": "70.0 (10)", "test": "60.0 (10)"})


def test_a_skewed_number_has_median_and_quartiles(table: dict[str, Characteristic]) -> None:
    name = next(name for name in table if name.startswith("Glucose"))
    assert name.endswith("median [quartiles]")
    assert table[name].by_split["train"] == "5.50 [5.25, 5.75]"


def test_of_yes_and_no_yes_is_told_among_the_known_and_missing_among_all(
    table: dict[str, Characteristic],
) -> None:
    assert table["History of hypertension: yes, n (%)"].by_split == {"train": "1 (33%)", "test": "none known"}
    assert table["History of hypertension: missing, n (%)"].by_split == {
        "train": "0 (0%)",
        "test": "3 (100%)",
    }
    assert "Age: missing, n (%)" not in table


def test_sites_are_told_among_the_known(table: dict[str, Characteristic]) -> None:
    assert table["Site: north, n (%)"].by_split == {"train": "1 (50%)", "test": "1 (50%)"}


def test_a_feature_that_nobody_has_breaks_nothing(table: dict[str, Characteristic]) -> None:
    assert table["INR, mean (SD)"].by_split == {"train": "none known", "test": "none known"}
