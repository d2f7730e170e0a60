"""The query of a list says one thing of each parameter, or nothing."""

import anyio
import pytest
from starlette.requests import Request

from app.api.jobs import JobQuery
from app.api.list_query import ListQuery, once_each
from app.api.worklist import WorklistQuery
from app.errors import MalformedRequestError


def asked(query: bytes) -> Request:
    return Request({"type": "http", "query_string": query, "headers": []})


@pytest.mark.parametrize("kind", [JobQuery, WorklistQuery])
def test_an_empty_parameter_is_an_absent_one(kind: type[ListQuery]) -> None:
    assert kind.model_validate(dict.fromkeys(kind.model_fields, "")) == kind()


@pytest.mark.parametrize("query", [b"state=queued&state=running", b"task=gos&limit=5&task=gos", b"q=&q=a"])
def test_a_parameter_that_is_given_twice_is_refused_without_being_quoted(query: bytes) -> None:
    with pytest.raises(MalformedRequestError, match="once") as refused:
        anyio.run(once_each, asked(query))
    assert "queued" not in refused.value.detail


@pytest.mark.parametrize("query", [b"", b"state=queued", b"task=gos&limit=5&q=gos"])
def test_parameters_that_are_given_once_pass(query: bytes) -> None:
    anyio.run(once_each, asked(query))
