"""The header is a string of Structured Field Values, or the bare token that most clients send; both mean the same key."""

import pytest

from app.api.idempotency import parse_key
from app.errors import MalformedRequestError


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ('"8e03978e-40d5-43e8-bc93-6894a57f9324"', "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        (' "a b" ', "a b"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("batch/row-1.nii.gz", "batch/row-1.nii.gz"),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_key_is_read_with_quotes_and_without(header: str, key: str) -> None:
    assert parse_key(header) == key


@pytest.mark.parametrize(
    "header", ["", '""', "a b", '"a', 'a"', '"a"b"', "a, b", "ä", '"a\x00"', "x" * 256, '"' + "x" * 256 + '"']
)
def test_what_is_no_key_is_refused(header: str) -> None:
    with pytest.raises(MalformedRequestError):
        parse_key(header)
