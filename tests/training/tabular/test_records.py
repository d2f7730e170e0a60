"""training.tabular.records: a column means the same, however the description orders its categories."""

from pathlib import Path

import numpy as np
import pytest

from app.ehr.schema import EhrSchema, Feature
from training.cohort import Case
from training.tabular.records import records_of


@pytest.mark.parametrize("categories", [("no", "yes"), ("yes", "no")])
def test_yes_is_one_in_either_order_of_the_categories(categories: tuple[str, ...]) -> None:
    impaired = Feature(
        name="impaired", title="Impaired", kind="categorical", loinc=None, unit=None, plausible_range=None,
        categories=categories, required=False,
    )  # fmt: skip
    known: list[dict[str, object]] = [{"impaired": "yes"}, {"impaired": "no"}, {}]
    cases = [Case(str(n), (Path("x"),), (), None, record, 0, None) for n, record in enumerate(known)]
    column = records_of(cases, EhrSchema(features=(impaired,), minimum_features=0), 5, {}).column("impaired")
    np.testing.assert_array_equal(column, [1.0, 0.0, np.nan])


def test_ranges_of_a_number_are_no_numbers() -> None:
    """Their places in the description would count as values: of everybody's GCS as 0, 1 or 2."""
    gcs = Feature(
        name="gcs", title="GCS", kind="categorical", loinc=None, unit=None, plausible_range=None,
        categories=("13-15", "5-12", "3-4"), required=False,
    )  # fmt: skip
    cases = [Case(each, (Path("x"),), (), None, {"gcs": each}, 0, None) for each in gcs.categories]
    column = records_of(cases, EhrSchema(features=(gcs,), minimum_features=0), 5, {}).column("gcs")
    assert np.isnan(column).all()


@pytest.mark.parametrize(
    ("unit", "eighty"), [("a", 80.0), ("mo", 960.0), ("d", 29220.0), ("wk", 29220 / 7), ("1", 80.0)]
)
def test_an_age_is_told_in_years_whatever_its_unit(unit: str, eighty: float) -> None:
    """Months and weeks by UCUM: 960 months are 80 years, and no rounding makes them less."""
    age = Feature(
        name="age", title="Age", kind="numeric", loinc="30525-0", unit=unit, plausible_range=(0, 50000),
        categories=(), required=False,
    )  # fmt: skip
    known: list[dict[str, object]] = [{"age": eighty}, {}]
    cases = [Case(str(n), (Path("x"),), (), None, record, 0, None) for n, record in enumerate(known)]
    records = records_of(cases, EhrSchema(features=(age,), minimum_features=0), 5, {})
    np.testing.assert_array_equal(records.column("age", "a"), [80.0, np.nan])
    assert records.column("age")[0] == pytest.approx(eighty)


def test_yes_and_no_count_in_other_words_too() -> None:
    blood = Feature(
        name="intraventricular", title="Blood", kind="categorical", loinc=None, unit=None, plausible_range=None,
        categories=("Present", "Absent"), required=False,
    )  # fmt: skip
    cases = [
        Case(each, (Path("x"),), (), None, {"intraventricular": each}, 0, None) for each in blood.categories
    ]
    records = records_of(cases, EhrSchema(features=(blood,), minimum_features=0), 5, {})
    np.testing.assert_array_equal(records.column("intraventricular"), [1.0, 0.0])
