from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.ehr.encode import encode
from app.ehr.json_schema import record_json_schema
from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.ehr.schema import EhrSchema
from app.errors import EhrInvalidError

AGE = GOS_SCHEMA.features[0]
VALIDATOR = Draft202012Validator(record_json_schema(GOS_SCHEMA))
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, False, 0, 1, 3, 9, 9.0, 9.5, 18, 71, 110, 111, 1.5, -1, "yes", "no", "male", "female", "", [], {},
        {"value": 90, "unit": "mg/dL"}, {"value": None, "unit": "mg/dL"}, {"value": 90, "unit": "kPa"},
        {"value": 12, "unit": "kPa"}, {"value": "12", "unit": "kPa"}, {"value": 12}, {"value": True, "unit": "1"},
        {"value": 9, "unit": "{score}"}, {"value": 9, "unit": "1"}, {"value": 8, "unit": "{INR}"},
    ]
)  # fmt: skip
NAMES = st.sampled_from([feature.name for feature in GOS_SCHEMA.features] + ["shoe_size"])


def accepts(record: dict[str, Any]) -> bool:
    try:
        encode(record, GOS_SCHEMA)
    except EhrInvalidError:
        return False
    return True


@pytest.mark.parametrize("schema", [GOS_SCHEMA, AD_SCHEMA])
def test_the_schema_is_itself_valid(schema: EhrSchema) -> None:
    Draft202012Validator.check_schema(record_json_schema(schema))


@given(record=st.dictionaries(NAMES, VALUES, max_size=5))
def test_whatever_is_encoded_is_valid(record: dict[str, Any]) -> None:
    assert not accepts(record) or VALIDATOR.is_valid(record)


@given(record=st.dictionaries(NAMES, VALUES.filter(lambda value: not isinstance(value, dict)), max_size=5))
def test_without_units_valid_and_encodable_are_the_same(record: dict[str, Any]) -> None:
    assert accepts(record) == VALIDATOR.is_valid(record)


def test_a_form_finds_title_code_unit_and_range() -> None:
    glucose = record_json_schema(GOS_SCHEMA)["properties"]["glucose"]
    assert glucose["title"] == "Glucose, serum or plasma"
    assert (glucose["x-loinc"], glucose["x-unit"]) == ("14749-6", "mmol/L")
    bare, quantity, null = glucose["anyOf"]
    assert (bare["minimum"], bare["maximum"]) == (1, 60)
    assert quantity["properties"]["unit"]["enum"][:3] == ["mmol/L", "g/dL", "mg/dL"]
    assert null["type"] == "null"


@pytest.mark.parametrize(("name", "is_whole"), [("gcs", True), ("pre_ich_mrs", True), ("inr", False)])
def test_a_form_is_told_of_what_only_whole_numbers_are_taken(name: str, is_whole: bool) -> None:
    properties = record_json_schema(GOS_SCHEMA)["properties"]
    assert properties[name]["anyOf"][0].get("multipleOf") == (1 if is_whole else None)


def test_properties_keep_the_order_of_the_record() -> None:
    assert list(record_json_schema(AD_SCHEMA)["properties"]) == [
        feature.name for feature in AD_SCHEMA.features
    ]


def test_a_required_feature_has_no_null() -> None:
    required = AGE.model_copy(update={"required": True})
    validator = Draft202012Validator(record_json_schema(EhrSchema(features=(required,), minimum_features=1)))
    assert validator.is_valid({"age": 71})
    for record in ({}, {"age": None}, {"age": {"value": None, "unit": "a"}}):
        assert not validator.is_valid(record)
