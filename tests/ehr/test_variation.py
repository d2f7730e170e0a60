"""A varied record is the record that would have been sent."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ehr.encode import EncodedRecord, encode
from app.ehr.reference import GOS_SCHEMA
from app.ehr.schema import Feature
from app.ehr.variation import with_value, without

FEATURES = list(enumerate(GOS_SCHEMA.features))


def a_value(feature: Feature) -> st.SearchStrategy[float | str]:
    if feature.plausible_range is None:
        return st.sampled_from(feature.categories)
    low, high = feature.plausible_range
    return st.integers(int(low), int(high)).map(float) if feature.is_whole else st.floats(low, high)


RECORDS = st.fixed_dictionaries({}, optional={feature.name: a_value(feature) for _, feature in FEATURES})


def assert_same(varied: EncodedRecord, sent: EncodedRecord) -> None:
    assert np.array_equal(varied.values, sent.values)
    assert np.array_equal(varied.missing, sent.missing)
    assert varied.features == sent.features


@given(record=RECORDS, place=st.sampled_from(FEATURES))
def test_without_a_feature_it_is_the_record_that_lacks_it(
    record: dict[str, Any], place: tuple[int, Feature]
) -> None:
    index, feature = place
    rest = {name: value for name, value in record.items() if name != feature.name}
    assert_same(without(encode(record, GOS_SCHEMA), index), encode(rest, GOS_SCHEMA))


@given(record=RECORDS, data=st.data())
def test_with_a_value_it_is_the_record_that_has_it(record: dict[str, Any], data: st.DataObject) -> None:
    index, feature = data.draw(st.sampled_from(FEATURES))
    value = data.draw(a_value(feature))
    varied = with_value(encode(record, GOS_SCHEMA), index, feature, value)
    assert_same(varied, encode({**record, feature.name: value}, GOS_SCHEMA))


@pytest.mark.parametrize("place", FEATURES[:2])
def test_the_record_itself_stays(place: tuple[int, Feature]) -> None:
    record = encode({"age": 71, "sex": "male"}, GOS_SCHEMA)
    before = record.values.copy()
    without(record, place[0])
    assert np.array_equal(record.values, before)
