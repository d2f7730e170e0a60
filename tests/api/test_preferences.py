"""The header Prefer as RFC 7240 writes it, and the ticket that follows from a request's headers."""

import time
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.api.preferences import CurrentTicket, Preferences, parse_preferences, ticket_of
from app.errors import MalformedRequestError
from app.inference.ticket import Urgency


# The first five are examples of RFC 7240, section 2 and 4.
@pytest.mark.parametrize(
    ("header", "preferences"),
    [
        ("respond-async, wait=100", {"respond-async": "", "wait": "100"}),
        ('foo; some-parameter=""', {"foo": ""}),
        ('foo=""; bar=""', {"foo": ""}),
        ('lenient, priority="5, or so"', {"lenient": "", "priority": "5, or so"}),
        ('return=minimal; foo="some parameter"', {"return": "minimal"}),
        ("Respond-Async,wait = 10", {"respond-async": "", "wait": "10"}),
        ("wait=1, wait=2", {"wait": "1"}),
        (None, {}),
        ("", {}),
    ],
)
def test_preferences_are_read_as_they_are_written(header: str | None, preferences: dict[str, str]) -> None:
    assert parse_preferences(header) == preferences


@pytest.mark.parametrize("long", ["a," + 2**19 * " " + '"', 'a="' + 2**19 * ",", 2**18 * " ,", 2**19 * "a "])
def test_a_header_of_any_length_is_read_in_no_time(long: str) -> None:
    # Where the time grew with the square of the length, this took more than an hour.
    assert set(parse_preferences(long)) <= {"a"}


@given(st.text(max_size=300))
def test_no_text_is_too_strange(header: str) -> None:
    assert all(name == name.lower() for name in parse_preferences(header))


def test_the_time_of_a_request_runs_from_its_arrival() -> None:
    ticket = ticket_of({"wait": "30"}, "stat")
    assert ticket.urgency is Urgency.STAT
    assert ticket.deadline_s is not None
    assert 25 < ticket.deadline_s - time.monotonic() <= 30
    assert ticket_of({}, "batch").deadline_s is None


def test_zeros_before_a_time_change_nothing() -> None:
    deadline_s = ticket_of({"wait": "0" * 5000 + "30"}).deadline_s
    assert deadline_s is not None
    assert 25 < deadline_s - time.monotonic() <= 30


@pytest.mark.parametrize(
    "wait",
    [
        "", "-1", "1.5", "٣", "99999999999999", "soon",
        "0" * 10 + "3601", "0" * 10 + "9" * 400, "0" * 10 + "9" * 5000,
    ],
)  # fmt: skip
def test_a_time_that_is_no_number_of_seconds_is_refused_without_being_quoted(wait: str) -> None:
    with pytest.raises(MalformedRequestError, match="whole seconds") as refused:
        ticket_of({"wait": wait}, "routine")
    assert wait == "" or wait not in refused.value.detail


def asked(app: FastAPI, *headers: tuple[str, str]) -> Any:
    async def ask() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return (await client.get("/", headers=list(headers))).json()

    return anyio.run(ask)


@pytest.mark.parametrize(
    "lines",
    [["respond-async, wait=5"], ["respond-async", "wait=5"], ["foo", "respond-async", "wait=5, wait=9"]],
)
def test_several_lines_are_one_list(lines: list[str]) -> None:
    app = FastAPI()

    @app.get("/")
    async def told(preferences: Preferences) -> dict[str, str]:
        return preferences

    found = asked(app, *(("Prefer", line) for line in lines))
    assert found.items() >= {"respond-async": "", "wait": "5"}.items()


def test_of_two_urgencies_neither_is_guessed() -> None:
    app = FastAPI()

    @app.get("/")
    async def told(ticket: CurrentTicket) -> str:
        return ticket.urgency.name

    assert asked(app) == "ROUTINE"
    assert asked(app, ("NeuroFuse-Priority", "stat")) == "STAT"
    with pytest.raises(MalformedRequestError, match="once"):
        asked(app, ("NeuroFuse-Priority", "stat"), ("NeuroFuse-Priority", "batch"))
