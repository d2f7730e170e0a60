"""Short cuts inside one process: what the next look at the database would find anyway is told at once.

Nothing depends on them. A job that another process accepted or finished is found by looking, a second later.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.inference.ticket import Ticket, Urgency
from app.records.jobs import Job


@dataclass(frozen=True, eq=False)
class Attempt:
    """A job that is worked on in this process.

    Attributes:
        job: As claimed.
        ticket: Ends the work, once it is marked.
    """

    job: Job
    ticket: Ticket


class Signals:
    """Events of the event loop that any thread may set.

    Attributes:
        waiting: By urgency, that there may be a job to begin.
        messages: That there may be a webhook to send.
        held: What is worked on in this process. The thread that works on it puts it in and takes it out; all others go through a copy.
    """

    def __init__(self) -> None:
        self.waiting = {urgency: asyncio.Event() for urgency in Urgency}
        self.messages = asyncio.Event()
        self.held = set[Attempt]()
        self._ends: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> None:
        """Belong to the running event loop."""
        self._loop = asyncio.get_running_loop()

    def job_came(self, urgency: Urgency) -> None:
        """There may be a job to begin."""
        self._tell(self.waiting[urgency])

    def message_came(self) -> None:
        """There may be a webhook to send."""
        self._tell(self.messages)

    def job_dropped(self, job_id: str) -> None:
        """A job that is worked on was cancelled: it costs no more work than it has to."""
        for attempt in tuple(self.held):
            if attempt.job.id == job_id:
                attempt.ticket.gone.set()

    def job_ended(self, job_id: str) -> None:
        """A job has reached its last state; a webhook may be due."""
        for event in tuple(self._ends.get(job_id, ())):
            self._tell(event)
        self.message_came()

    @contextmanager
    def end_of(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when a job ends in this process while the block runs."""
        event = asyncio.Event()
        self._ends[job_id].add(event)
        try:
            yield event
        finally:
            self._ends[job_id].discard(event)
            if not self._ends[job_id]:
                del self._ends[job_id]

    def _tell(self, event: asyncio.Event) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(event.set)
