"""app.api.visibility: whose cases a caller sees, and that every route which names one asks."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from app.api.auditing import OBJECTS
from app.api.visibility import BatchId, JobId, PredictionId, UploadId, caller_of, id_of, only_of
from app.main import create_app
from app.security.principal import LOCAL, Principal, Role
from app.settings import Settings

ASKING = dict(zip(OBJECTS, (PredictionId, JobId, BatchId, UploadId), strict=True))
"""What stands in a path for an id of each kind, to the parameter that asks whose it is."""


def caller(*roles: Role) -> Principal:
    return Principal("key:0011223344556677", "key", frozenset(roles), "of a test")


def calls(dependant: Dependant) -> Iterator[Any]:
    """Every dependency of a route, and theirs."""
    for each in dependant.dependencies:
        yield each.call
        yield from calls(each)


@pytest.mark.parametrize("named", ASKING)
def test_every_route_that_names_a_case_asks_whose_it_is(named: str) -> None:
    asks = get_args(ASKING[named])[1].dependency
    routes = [
        each
        for each in iter_route_contexts(create_app(Settings()).routes)
        if f"{{{named}}}" in (each.path or "")
    ]
    assert routes
    assert [each.path for each in routes if asks not in calls(each.dependant)] == []


@pytest.mark.parametrize(
    ("roles", "sees_all"),
    [
        (("clinician",), True),
        (("clinician", "system"), True),
        (("system",), False),
        (("system", "admin"), False),
    ],
)
def test_a_clinician_sees_every_case_and_a_system_its_own(roles: tuple[Role, ...], sees_all: bool) -> None:
    asking = caller(*roles)
    assert only_of(asking) == (None if sees_all else asking.subject)


def test_a_case_is_kept_under_its_caller_and_under_nobody_where_nobody_was_asked() -> None:
    assert caller_of(caller("clinician")) == "key:0011223344556677"
    assert (caller_of(LOCAL), only_of(LOCAL)) == ("", None)


def test_an_id_in_capitals_is_the_same_id() -> None:
    assert id_of("0193C2F4-6A00-7A31-9C2E-5D1F0B7E8A90") == "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"
