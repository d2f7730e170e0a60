from typing import Any

import pytest
from pydantic import ValidationError

from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.ehr.schema import EhrSchema, Feature

AGE, SEX = (feature.model_dump() for feature in GOS_SCHEMA.features[:2])


def test_a_schema_survives_json() -> None:
    assert EhrSchema.model_validate_json(GOS_SCHEMA.model_dump_json()) == GOS_SCHEMA


@pytest.mark.parametrize(
    ("feature", "changes"),
    [
        (AGE, {"unit": None}),
        (AGE, {"plausible_range": None}),
        (AGE, {"categories": ("young", "old")}),
        (AGE, {"kind": "categorical"}),
        (SEX, {"categories": ("female",)}),
        (SEX, {"unit": "1"}),
        (SEX, {"kind": "numeric"}),
    ],
)
def test_fields_that_contradict_the_kind_are_refused(
    feature: dict[str, Any], changes: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match="needs"):
        Feature.model_validate(feature | changes)


def test_counts_and_whole_scales_are_whole_and_no_other_score_is_taken_for_one() -> None:
    whole = {each.name for schema in (GOS_SCHEMA, AD_SCHEMA) for each in schema.features if each.is_whole}
    assert whole == {"gcs", "pre_ich_mrs", "apoe4_alleles"}


@pytest.mark.parametrize(("loinc", "is_whole"), [("9269-2", True), ("75859-9", True), ("6301-6", False)])
def test_the_loinc_code_of_a_site_s_own_score_tells_whether_it_is_whole(loinc: str, is_whole: bool) -> None:
    changes = {"name": "own_score", "unit": "{score}", "loinc": loinc}
    assert Feature.model_validate(AGE | changes).is_whole is is_whole


@pytest.mark.parametrize("name", ["Age", "1st", "age in years", "", "_age"])
def test_names_are_snake_case(name: str) -> None:
    with pytest.raises(ValidationError):
        Feature.model_validate(AGE | {"name": name})


def test_nothing_has_a_default() -> None:
    for field in AGE:
        with pytest.raises(ValidationError, match=field):
            Feature.model_validate({key: value for key, value in AGE.items() if key != field})


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="unique"):
        EhrSchema.model_validate({"features": [AGE, AGE], "minimum_features": 0})
