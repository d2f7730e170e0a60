import re

import pytest

from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.ehr.schema import EhrSchema, Feature
from app.ehr.units import UCUM_TO_PINT

GOS_NAMES = (
    "age sex gcs systolic_bp diastolic_bp glucose inr platelets anticoagulant antiplatelet hypertension diabetes "
    "prior_stroke onset_to_ct_hours pre_ich_mrs"
)
AD_NAMES = "age sex education_years apoe4_alleles systolic_bp hypertension diabetes family_history"
FEATURES = [*GOS_SCHEMA.features, *AD_SCHEMA.features]


@pytest.mark.parametrize(("schema", "names"), [(GOS_SCHEMA, GOS_NAMES), (AD_SCHEMA, AD_NAMES)])
def test_the_records_have_the_names_of_the_contract(schema: EhrSchema, names: str) -> None:
    assert [feature.name for feature in schema.features] == names.split()
    assert schema.minimum_features == 0
    assert not any(feature.required for feature in schema.features)


def _loinc_check_digit(number: str) -> int:
    """Luhn's mod 10, as the LOINC Users' Guide appendix on check digits defines it."""
    doubled = str(int(number[::-1][0::2][::-1]) * 2)
    total = sum(map(int, doubled + number[::-1][1::2]))
    return -total % 10


@pytest.mark.parametrize("feature", [f for f in FEATURES if f.loinc], ids=lambda f: f.name)
def test_loinc_codes_have_a_right_check_digit(feature: Feature) -> None:
    match = re.fullmatch(r"(\d{1,5})-(\d)", feature.loinc or "")
    assert match is not None
    assert _loinc_check_digit(match[1]) == int(match[2])


@pytest.mark.parametrize("feature", [f for f in FEATURES if f.unit], ids=lambda f: f.name)
def test_units_are_known_or_plain_annotations(feature: Feature) -> None:
    assert feature.unit is not None
    assert feature.unit in UCUM_TO_PINT or re.fullmatch(r"\{\w+\}", feature.unit)


@pytest.mark.parametrize("feature", [f for f in FEATURES if f.plausible_range], ids=lambda f: f.name)
def test_plausible_ranges_are_ordered(feature: Feature) -> None:
    assert feature.plausible_range is not None
    low, high = feature.plausible_range
    assert 0 <= low < high
