"""The record as text: a JSON object, strictly."""

import json
from typing import Any

from app.errors import MalformedRequestError


def parse_record(text: str) -> dict[str, Any]:
    """Read a record; what its fields mean is for `app.ehr.encode` to judge.

    Args:
        text: JSON by RFC 8259, an object.

    Raises:
        MalformedRequestError: It is not; NaN, Infinity and a name given twice are refused too, since parsers differ
            on them.
    """
    try:
        record = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise MalformedRequestError(
            "Expected `ehr` to be one JSON object with unique names; it is not.", part="ehr"
        )
    return record


def _refuse_constant(_name: str) -> None:
    raise ValueError("not JSON: RFC 8259, section 6")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name occurs twice")
    return record
