"""Who waits for an answer: how urgent it is, until when it is of use, and whether anybody is still there to read it.

The ticket of a case goes with it from the queue at the door to the queue before the graph, through code that has no use for it; so it
travels in a context variable, which `anyio.to_thread` and `asyncio` copy into the thread that works on the case.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from app.errors import DeadlinePassedError

RETRY_AFTER_S: Final = 5


class AbandonedError(Exception):
    """The client went away before its turn came; nobody is left to read an answer."""


class Urgency(IntEnum):
    """Whose turn comes first; within one urgency, who came first."""

    STAT = 0
    """A patient is waiting."""
    ROUTINE = 1
    BATCH = 2
    """Nobody is waiting: cohorts, jobs, comparisons in the background."""


@dataclass(frozen=True, eq=False)
class Ticket:
    """One case that waits.

    Attributes:
        urgency: Whose turn comes first.
        deadline_s: Moment of `time.monotonic` after which the answer is of no use; None for never.
        gone: Set once nobody is left to read the answer.
    """

    urgency: Urgency = Urgency.ROUTINE
    deadline_s: float | None = None
    gone: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Ask whether the case is still worth any work.

        Raises:
            AbandonedError: The client has gone.
            DeadlinePassedError: Its time is over.
        """
        if self.gone.is_set():
            raise AbandonedError
        if self.deadline_s is not None and time.monotonic() >= self.deadline_s:
            raise DeadlinePassedError(
                "Expected an answer within the time that the request allows; it was over before. "
                "Allow more, or try again later.",
                retry_after_s=RETRY_AFTER_S,
            )


_NOBODY_IN_PARTICULAR = Ticket()
_current: ContextVar[Ticket] = ContextVar("ticket", default=_NOBODY_IN_PARTICULAR)


def current_ticket() -> Ticket:
    """The ticket of the case that this thread or task works on; routine and without a deadline where there is none."""
    return _current.get()


@contextmanager
def holding(ticket: Ticket) -> Iterator[None]:
    """Work on a case: inside the block its ticket is the current one."""
    token = _current.set(ticket)
    try:
        yield
    finally:
        _current.reset(token)
