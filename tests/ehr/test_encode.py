import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ehr.encode import EncodedRecord, encode
from app.ehr.reference import AD_SCHEMA, GOS_SCHEMA
from app.ehr.schema import EhrSchema, Feature
from app.ehr.units import accepted_units, convert
from app.errors import EhrInsufficientError, EhrInvalidError

NAMES = [feature.name for feature in GOS_SCHEMA.features]
NUMERIC = [feature for feature in GOS_SCHEMA.features if feature.kind == "numeric"]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["yes", "male", "mg/dL"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.sampled_from(["value", "unit"]), inner, max_size=3)
    ),
    max_leaves=6,
)
records = st.dictionaries(st.sampled_from(NAMES) | st.text(), json_values, max_size=8)


def problems(record: dict[str, Any], schema: EhrSchema = GOS_SCHEMA) -> dict[str, str]:
    with pytest.raises(EhrInvalidError) as caught:
        encode(record, schema)
    return {problem["name"]: problem["problem"] for problem in caught.value.fields["features"]}


def value_of(encoded: EncodedRecord, name: str) -> float:
    return float(encoded.values[NAMES.index(name)])


@given(record=records)
def test_any_json_gives_finite_tensors_or_a_named_refusal(record: dict[str, Any]) -> None:
    try:
        encoded = encode(record, GOS_SCHEMA)
    except (EhrInvalidError, EhrInsufficientError):
        return
    assert encoded.values.shape == encoded.missing.shape == (len(NAMES),)
    assert encoded.values.dtype == encoded.missing.dtype == np.float32
    assert np.isfinite(encoded.values).all()
    assert set(encoded.missing) <= {0.0, 1.0}
    assert (encoded.values[encoded.missing == 1] == 0).all()
    assert [use.name for use in encoded.features] == NAMES


@given(
    feature=st.sampled_from(GOS_SCHEMA.features),
    secret=st.integers(10**12, 10**15) | st.from_regex(r"Zq[0-9]{8}", fullmatch=True),
    form=st.sampled_from(["bare", "quantity", "unit", "listed"]),
)
def test_a_refusal_never_repeats_what_was_sent(feature: Feature, secret: int | str, form: str) -> None:
    sent = {
        "bare": secret,
        "quantity": {"value": secret, "unit": feature.unit},
        "unit": {"value": 7, "unit": secret},
        "listed": [secret],
    }[form]
    with pytest.raises(EhrInvalidError) as caught:
        encode({feature.name: sent}, GOS_SCHEMA)
    told = caught.value.detail + str(caught.value) + json.dumps(caught.value.fields)
    assert str(secret) not in told


@given(feature=st.sampled_from(NUMERIC), share=st.floats(0, 1), unit_index=st.integers(0, 20))
def test_a_plausible_value_means_the_same_in_every_accepted_unit(
    feature: Feature, share: float, unit_index: int
) -> None:
    assert feature.unit is not None
    assert feature.plausible_range is not None
    low, high = feature.plausible_range
    value = low + share * (high - low)
    value = float(round(value)) if feature.is_whole else value
    units = accepted_units(feature.unit, feature.loinc)
    unit = units[unit_index % len(units)]
    same = feature.unit.startswith("{")  # an annotation is a plain 1 whichever way it is written
    sent = {"value": value if same else convert(value, feature.unit, unit, feature.loinc), "unit": unit}
    encoded = encode({feature.name: sent}, GOS_SCHEMA)
    assert value_of(encoded, feature.name) == pytest.approx(value, rel=1e-6, abs=1e-6)
    status = next(use.status for use in encoded.features if use.name == feature.name)
    assert status == ("used" if unit == feature.unit else "converted")


@given(record=st.fixed_dictionaries({}, optional={"age": st.integers(18, 110), "gcs": st.integers(3, 15)}))
def test_null_and_absent_are_the_same(record: dict[str, int]) -> None:
    nulls = dict.fromkeys(NAMES) | record
    sparse, full = encode(record, GOS_SCHEMA), encode(nulls, GOS_SCHEMA)
    assert sparse.features == full.features
    np.testing.assert_array_equal(sparse.missing, full.missing)


@pytest.mark.parametrize(
    "sent", [13.5, 13.0001, {"value": 13.5, "unit": "{score}"}, {"value": 13.5, "unit": "1"}]
)
def test_a_part_of_a_point_of_the_glasgow_coma_scale_is_refused(sent: object) -> None:
    assert problems({"gcs": sent}) == {"gcs": "must be a whole number"}


def test_a_part_of_an_allele_is_refused() -> None:
    assert problems({"apoe4_alleles": 1.5}, AD_SCHEMA) == {"apoe4_alleles": "must be a whole number"}


@pytest.mark.parametrize("sent", [13, 13.0, {"value": 13.0, "unit": "1"}])
def test_a_whole_number_is_one_however_it_is_written(sent: object) -> None:
    assert value_of(encode({"gcs": sent}, GOS_SCHEMA), "gcs") == 13


def test_a_whole_number_in_another_unit_is_one_in_spite_of_rounding() -> None:
    gcs = GOS_SCHEMA.features[2].model_copy(update={"unit": "1"})
    schema = EhrSchema(features=(gcs,), minimum_features=0)
    for points in range(3, 16):
        sent = {"gcs": {"value": 100 * points, "unit": "%"}}
        assert encode(sent, schema).values.tolist() == [points]


def test_a_category_becomes_its_index() -> None:
    assert value_of(encode({"sex": "female"}, GOS_SCHEMA), "sex") == 0
    assert value_of(encode({"sex": "male"}, GOS_SCHEMA), "sex") == 1


@pytest.mark.parametrize(("sent", "category"), [(False, "no"), (True, "yes")])
def test_json_booleans_stand_for_no_and_yes(sent: bool, category: str) -> None:
    by_flag, by_word = encode({"diabetes": sent}, GOS_SCHEMA), encode({"diabetes": category}, GOS_SCHEMA)
    assert by_flag.features == by_word.features
    assert value_of(by_flag, "diabetes") == float(sent)


def test_a_boolean_is_no_sex_and_no_number() -> None:
    assert set(problems({"sex": True, "age": True})) == {"sex", "age"}


def test_a_quantity_without_value_is_missing() -> None:
    encoded = encode({"glucose": {"value": None, "unit": "mg/dL"}}, GOS_SCHEMA)
    assert encoded.missing[NAMES.index("glucose")] == 1


def test_every_bad_field_is_listed_at_once() -> None:
    found = problems(
        {"age": "old", "gcs": 2, "shoe_size": 43, "glucose": {"value": 5, "unit": "mol"}, "inr": 1.1}
    )
    assert set(found) == {"age", "gcs", "shoe_size", "glucose"}


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 10**400, -1, 17.9, 110.1, "71", [71], {}, False]
)
def test_what_cannot_be_an_age_is_refused(value: object) -> None:
    assert set(problems({"age": value})) == {"age"}


@pytest.mark.parametrize(
    "sent",
    [
        {"value": 5},
        {"value": 5, "unit": "mmol/L", "when": "now"},
        {"value": 5, "unit": "MMOL/L"},
        {"value": 5, "unit": "mm[Hg]"},
        {"value": 5, "unit": None},
        {"value": 5, "unit": ["mmol/L"]},
        {"value": None, "unit": "nonsense"},
        {"value": {"value": 5, "unit": "mmol/L"}, "unit": "mmol/L"},
    ],
)
def test_a_quantity_needs_value_and_a_convertible_ucum_unit(sent: object) -> None:
    assert set(problems({"glucose": sent})) == {"glucose"}


def test_the_units_that_would_do_are_told_be_it_one_or_several() -> None:
    sent = {"glucose": {"value": 5, "unit": "nonsense"}}
    assert problems(sent)["glucose"].startswith("must have its unit in UCUM, one of mmol/L, ")
    glucose = next(feature for feature in NUMERIC if feature.name == "glucose")
    alone = GOS_SCHEMA.model_copy(update={"features": (glucose.model_copy(update={"unit": "[arb'U]"}),)})
    assert problems(sent, alone) == {"glucose": "must have its unit in UCUM, [arb'U]"}


def test_a_category_has_no_unit() -> None:
    assert "without a unit" in problems({"sex": {"value": "male", "unit": "1"}})["sex"]


def test_a_key_that_is_no_field_name_is_not_repeated() -> None:
    assert set(problems({"Jane Doe, born 1950": 1})) == {"(not a feature name)"}


def test_the_ends_of_a_range_survive_conversion() -> None:
    low, high = 1, 60
    for limit in (low, high):
        for unit in accepted_units("mmol/L", "14749-6"):
            sent = {"value": convert(limit, "mmol/L", unit, "14749-6"), "unit": unit}
            (glucose,) = (
                use for use in encode({"glucose": sent}, GOS_SCHEMA).features if use.name == "glucose"
            )
            assert glucose.value == pytest.approx(limit)
            assert low <= float(str(glucose.value)) <= high


def test_numbers_of_numpy_are_numbers() -> None:
    encoded = encode({"age": np.float64(71), "gcs": np.int64(9)}, GOS_SCHEMA)
    assert (value_of(encoded, "age"), value_of(encoded, "gcs")) == (71, 9)


def test_too_few_known_features_are_told_apart_from_bad_ones() -> None:
    schema = EhrSchema(features=GOS_SCHEMA.features, minimum_features=2)
    with pytest.raises(EhrInsufficientError) as caught:
        encode({"age": 71, "sex": None}, schema)
    assert caught.value.fields == {"known": 1, "minimum": 2}
    assert encode({"age": 71, "sex": "male"}, schema).missing.sum() == len(NAMES) - 2


def test_a_required_feature_must_be_known() -> None:
    age = GOS_SCHEMA.features[0].model_copy(update={"required": True})
    schema = EhrSchema(features=(age,), minimum_features=0)
    assert "required" in problems({}, schema)["age"]
    assert "required" in problems({"age": None}, schema)["age"]


def test_an_empty_record_is_legal_for_the_reference_packages() -> None:
    assert encode({}, GOS_SCHEMA).missing.all()
    assert encode({}, AD_SCHEMA).missing.all()
