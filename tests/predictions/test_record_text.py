"""A record is one strict JSON object."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import MalformedRequestError
from app.predictions.record_text import MOST_MEMBERS, parse_record, strict_json

json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_any_json_object_is_read_as_it_is(record: dict[str, object]) -> None:
    assert parse_record(json.dumps(record)) == record


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_record(b'\xef\xbb\xbf{"age": 71}'.decode()) == {"age": 71}


@pytest.mark.parametrize(
    "text",
    ["", "null", "1", '"x"', "[]", "{", '{"a": NaN}', '{"a": -Infinity}', '{"a": 1, "a": 2}', 100_000 * "["],
)
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(MalformedRequestError):
        parse_record(text)


@pytest.mark.parametrize(
    "text", ['[{"a": 1, "a": 1}]', b'{"a": {"b": 1, "b": 2}}', "[Infinity]", 100_000 * "["]
)
def test_a_document_that_parsers_read_differently_is_no_json_either(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict_json(text)


def test_a_record_of_more_members_than_any_has_is_refused_before_it_is_read() -> None:
    names = ", ".join(f'"n{number}": 1' for number in range(MOST_MEMBERS))
    assert len(parse_record(f"{{{names}}}")) == MOST_MEMBERS
    with pytest.raises(MalformedRequestError) as refused:
        parse_record(f'{{{names}, "more": 1')  # not even JSON
    assert refused.value.fields == {"limit": MOST_MEMBERS}


@given(st.text())
def test_no_text_makes_another_error(text: str) -> None:
    with contextlib.suppress(MalformedRequestError):
        assert isinstance(parse_record(text), dict)
