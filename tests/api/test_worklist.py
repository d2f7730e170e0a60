"""The query of the worklist: closed sets."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from app.api.worklist import Sort, WorklistQuery
from app.records.worklist import Page, Selection, SortKey


def test_every_key_of_the_record_store_sorts_both_ways_and_nothing_else_does() -> None:
    assert set(get_args(Sort)) == {sign + key for key in get_args(SortKey) for sign in ("", "-")}


@pytest.mark.parametrize("sort", get_args(Sort))
def test_a_minus_sorts_from_the_last_to_the_first(sort: str) -> None:
    page = WorklistQuery.model_validate({"sort": sort, "limit": 7, "offset": 9}).page()
    assert page == Page(7, 9, sort.strip("-"), descending=sort[0] == "-")  # type: ignore[arg-type]


def test_without_parameters_the_latest_answers_come_first() -> None:
    query = WorklistQuery()
    assert (query.selection(None), query.page()) == (Selection(), Page(25, 0, "created", descending=True))


@pytest.mark.parametrize(
    ("model", "name", "version"), [("gos", "gos", None), ("gos@2", "gos", 2), ("a-b@10", "a-b", 10)]
)
def test_a_model_is_a_name_or_one_version(model: str, name: str, version: int | None) -> None:
    selection = WorklistQuery(model=model).selection(None)
    assert (selection.model_name, selection.model_version) == (name, version)


def test_moments_of_any_zone_are_compared_in_utc() -> None:
    query = WorklistQuery.model_validate({"since": "2026-11-23T12:00:00+02:00"})
    assert query.selection(None).since == datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 0}, {"limit": 201}, {"offset": -1}, {"offset": 2**63}, {"sort": "document"}, {"sort": "--created"},
        {"task": "moon"}, {"feedback": "maybe"}, {"model": "gos@0"}, {"model": "gos@"}, {"model": "../gos"},
        {"model": "gos@1234567890"}, {"q": "a\0b"}, {"q": "x" * 65}, {"since": "2026-11-23T10:00:00"},
        {"since": "20261123"}, {"since": "1700000000"}, {"until": "-1"}, {"until": "2026-11-23"},
        {"since": "0001-01-01T00:00:00+14:00"}, {"until": "9999-12-31T23:59:59-14:00"}, {"page": "2"},
    ],
)  # fmt: skip
def test_what_is_not_of_the_contract_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WorklistQuery.model_validate(given)
