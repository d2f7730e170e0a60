"""The record as text: a JSON object, strictly; and any other document that may hold one."""

import json
from typing import Any, Final

from app.errors import MalformedRequestError

BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Begins a file that Windows wrote in UTF-8; a reader may pass over it (RFC 8259, section 8.1)."""


MOST_MEMBERS: Final = 10_000
"""Of a document, all objects together: more than any record has. What is wrong with each is said of each, and whoever says it lets all others wait."""


def parse_record(text: str) -> dict[str, Any]:
    """Read a record; what its fields mean is for `app.ehr.encode` to judge.

    Args:
        text: JSON by RFC 8259, an object.

    Raises:
        MalformedRequestError: It is not; NaN, Infinity and a name given twice are refused too, since parsers differ
            on them.
    """
    require_few_members(text.count(":"))
    try:
        record = strict_json(text.removeprefix(BYTE_ORDER_MARK))
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise MalformedRequestError(
            "Expected `ehr` to be one JSON object with unique names; it is not.", part="ehr"
        )
    return record


def require_few_members(colons: int) -> None:
    """Judge a document before it is read.

    Args:
        colons: In it; no member is without one.

    Raises:
        MalformedRequestError: It has too many members.
    """
    if colons > MOST_MEMBERS:
        raise MalformedRequestError(
            f"Expected at most {MOST_MEMBERS} members in a JSON document; it has more.", limit=MOST_MEMBERS
        )


def strict_json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever JSON says
    """Read JSON in which no name of an object is given twice: which of two values would hold is nowhere said.

    Args:
        text: JSON by RFC 8259.

    Raises:
        ValueError: It is not; NaN, Infinity and documents that are nested too deep are refused too.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse_constant(_name: str) -> None:
    raise ValueError("not JSON: RFC 8259, section 6")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name occurs twice")
    return record
