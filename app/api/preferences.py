"""What a client prefers and how urgent its case is: the header `Prefer` (RFC 7240) and our own `NeuroFuse-Priority`; with a key, how a case is treated."""

import re
import time
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from fastapi import Depends, Header, Request

from app.api.idempotency import IdempotencyKey
from app.errors import MalformedRequestError
from app.inference.ticket import Ticket, Urgency

PriorityName = Literal["stat", "routine", "batch"]
PRIORITY_HEADER: Final = "NeuroFuse-Priority"
"""Not RFC 9218's `Priority`, which browsers send of themselves with every `fetch`."""
RESPOND_ASYNC: Final = "respond-async"
LONGEST_WAIT_S: Final = 3600
_SECONDS: Final = re.compile(r"0*([0-9]{1,4})")
"""Of `wait`. Judged as text: Python makes integers of a few thousand digits only, and floats of a few hundred."""
_PREFERENCE: Final = re.compile(
    r"""(?:^|,)\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)  # token
        (?:\s*=\s*(?:"([^"]*)"|([^\s";,]*)))?      # value, quoted or not
        [^,]*                                      # parameters, which no preference here has""",
    re.VERBOSE,
)
"""Begins at the start or a comma and nowhere else: were every place tried, a long header would hold up the whole service."""


def parse_preferences(header: str | None) -> dict[str, str]:
    """Read the header `Prefer`.

    Args:
        header: Its value, several headers joined by commas; None where there is none.

    Returns:
        The preferences by lower-case name, "" where one has no value. Of a name that occurs twice the first counts, and what is no
        preference is passed over: a server is free to ignore them (RFC 7240, section 2).
    """
    found: dict[str, str] = {}
    for match in _PREFERENCE.finditer(header or ""):
        name, quoted, plain = match.groups()
        found.setdefault(name.lower(), quoted or plain or "")
    return found


async def _preferences(
    request: Request,
    _first_line: Annotated[
        str | None,
        Header(
            alias="prefer",
            description="RFC 7240. `respond-async`, on `POST /predict`: the case is accepted as a job and answered later; with `wait=N`, "
            "at once where it is done within N seconds. `wait=N` alone: the answer is of no use after N seconds; what is not done by then costs no more work "
            "and is answered `deadline-passed`. Other preferences are ignored where they mean nothing.",
        ),
    ] = None,
) -> dict[str, str]:
    # Several lines are one list (RFC 9110, section 5.3); FastAPI gives the first, and documents the header.
    return parse_preferences(", ".join(request.headers.getlist("Prefer")))


Preferences = Annotated[dict[str, str], Depends(_preferences)]
"""By name, see `parse_preferences`."""


async def _ticket(
    request: Request,
    preferences: Preferences,
    priority: Annotated[
        PriorityName | None,
        Header(
            alias=PRIORITY_HEADER,
            description="`stat` goes first, then `routine`, then `batch`. Without it a request is `routine`, and a job `batch`.",
        ),
    ] = None,  # no name: generated clients send a documented default of themselves, and every job would be `routine`
) -> Ticket:
    if len(request.headers.getlist(PRIORITY_HEADER)) > 1:
        raise MalformedRequestError(
            f"Expected the header `{PRIORITY_HEADER}` once; it occurs twice, and which is meant nobody can tell."
        )
    return ticket_of(preferences, priority or "routine")


def ticket_of(preferences: dict[str, str], priority: PriorityName = "routine") -> Ticket:
    """The ticket of a request whose time runs from now.

    Args:
        preferences: By name.
        priority: Value of `NeuroFuse-Priority`.

    Raises:
        MalformedRequestError: `wait` is no number of seconds, or too large.
    """
    return Ticket(Urgency[priority.upper()], _deadline_s(preferences))


CurrentTicket = Annotated[Ticket, Depends(_ticket)]
"""The ticket of this request; its time runs from now."""


@dataclass(frozen=True)
class Wishes:
    """How a request is to be treated, from its headers.

    Attributes:
        ticket: Its urgency, and until when the answer is of use.
        key: The client's own name for it.
        later: Whether it is answered at once, to ask for the answer later.
    """

    ticket: Ticket
    key: str | None
    later: bool

    @property
    def is_job(self) -> bool:
        """A key makes a job too: only what is written down can be answered the same after a crash."""
        return self.later or self.key is not None


async def _wishes(
    request: Request, ticket: CurrentTicket, preferences: Preferences, key: IdempotencyKey
) -> Wishes:
    later = RESPOND_ASYNC in preferences
    if later and PRIORITY_HEADER not in request.headers:
        # A job of which nothing is said goes after everything that somebody waits for.
        ticket = replace(ticket, urgency=Urgency.BATCH)
    return Wishes(ticket, key, later)


CurrentWishes = Annotated[Wishes, Depends(_wishes)]
"""How this request is to be treated."""


def _deadline_s(preferences: dict[str, str]) -> float | None:
    wait = preferences.get("wait")
    if wait is None:
        return None
    seconds = _SECONDS.fullmatch(wait)
    if seconds is None or int(seconds[1]) > LONGEST_WAIT_S:
        raise MalformedRequestError(
            f"Expected `Prefer: wait=N` with N whole seconds, at most {LONGEST_WAIT_S}.",
            limit=LONGEST_WAIT_S,
        )
    return time.monotonic() + int(seconds[1])
