"""How many cases may be here at once, how many of them are worked on, and whose turn is next."""

import asyncio
import heapq
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from prometheus_client import Gauge

from app.errors import OverloadedError
from app.inference.ticket import AbandonedError, Ticket, Urgency, holding

SLOW_UPLOAD_S: Final = 1.0
"""Seconds of an upload after which nobody counts on its turn to come soon."""
FIRST_GUESS_S: Final = 5.0
"""Seconds of one case, as long as none was measured."""
MEMORY: Final = 0.9
"""Weight of what is known of a case's seconds when another one has ended: about the last ten count."""
LONGEST_WAIT_S: Final = 600

Result = TypeVar("Result")


class Place:
    """What a case holds from its arrival to its answer.

    Args:
        wants_turn: Whether it will be worked on now; a job that is only taken in will not.
    """

    def __init__(self, *, wants_turn: bool) -> None:
        self._wants_turn = wants_turn
        self._slow_at_s = math.inf

    @property
    def is_in_line(self) -> bool:
        """Whether those who come after it have to expect it before them."""
        return self._wants_turn and time.monotonic() < self._slow_at_s

    @contextmanager
    def uploading(self) -> Iterator[None]:
        """While the block runs the case is on its way; one that takes long leaves the line until it is here."""
        self._slow_at_s = time.monotonic() + SLOW_UPLOAD_S
        try:
            yield
        finally:
            self._slow_at_s = math.inf


class Admission:
    """A bounded queue in front of a bounded number of worker threads.

    Cases that nobody waits for may take half of the queue only, and there are places for `stat` cases that no other
    may take: neither a cohort nor a busy day keeps an urgent case out. Uploads that take long, and those of jobs, have
    places of their own: a short queue keeps waits short, and slow networks must not fill it.

    Args:
        concurrent: Cases worked on at the same time.
        queue_limit: Cases that may wait beside these.
        uploads: Slow uploads, and those of jobs, that there may be beside both.
        pending: Gauge that follows the number of cases inside.
    """

    def __init__(self, concurrent: int, queue_limit: int, uploads: int, pending: Gauge) -> None:
        self._concurrent = concurrent
        self._line = {
            Urgency.STAT: 2 * concurrent + queue_limit,
            Urgency.ROUTINE: concurrent + queue_limit,
            Urgency.BATCH: concurrent + queue_limit // 2,
        }
        self._places = {
            urgency: most + (uploads // 2 if urgency is Urgency.BATCH else uploads)
            for urgency, most in self._line.items()
        }
        self._turns = _Turns(concurrent)
        self._workers = anyio.CapacityLimiter(concurrent)
        self._inside: set[Place] = set()
        self._case_s = FIRST_GUESS_S
        self._pending = pending

    @property
    def idle(self) -> bool:
        """Whether no case is worked on now; may be asked from any thread."""
        return self._turns.free == self._concurrent

    @property
    def lone(self) -> bool:
        """Whether no more than one case is worked on now; may be asked from any thread."""
        return self._turns.free >= self._concurrent - 1

    @contextmanager
    def place(self, urgency: Urgency = Urgency.ROUTINE, *, wants_turn: bool = True) -> Iterator[Place]:
        """Hold one of the places while a case uploads, waits and is worked on; call on the event loop.

        Raises:
            OverloadedError: Every place is taken that a case of this urgency may have.
        """
        place = Place(wants_turn=wants_turn)
        self._require_room(urgency, place)
        self._inside.add(place)
        self._pending.set(len(self._inside))
        try:
            yield place
        finally:
            self._inside.remove(place)
            self._pending.set(len(self._inside))

    def retry_after_s(self) -> int:
        """Whole seconds in which those who are in line now will be done, at the pace of the last cases."""
        return min(LONGEST_WAIT_S, max(1, math.ceil(self._in_line() * self._case_s / self._concurrent)))

    def _in_line(self) -> int:
        return sum(place.is_in_line for place in self._inside)

    def _require_room(self, urgency: Urgency, place: Place) -> None:
        for most, found in (
            (self._places[urgency], len(self._inside)),
            (self._line[urgency], self._in_line() if place.is_in_line else 0),
        ):
            if found >= most:
                raise OverloadedError(
                    f"Expected at most {most} cases at once; all places are taken. Try again later.",
                    limit=most,
                    retry_after_s=self.retry_after_s(),
                )

    async def work(
        self,
        case: Callable[[float], Result],
        departure: Callable[[], Awaitable[object]],
        ticket: Ticket | None = None,
    ) -> Result:
        """Run one case in a worker thread once it is its turn.

        Args:
            case: Given the seconds it waited.
            departure: Returns once the client has gone; cancelled when the case is done.
            ticket: Of the case, which is the current one while it is worked on; routine by default.

        Raises:
            AbandonedError: The client went while the case could still be stopped.
            DeadlinePassedError: Its time was over while it could still be stopped.
        """
        ticket = ticket or Ticket()
        waiting = anyio.CancelScope()
        # A task of asyncio: to begin and to cancel a group of anyio takes ten times as long, of every case.
        watching = asyncio.ensure_future(_watch(departure, ticket, waiting))
        try:
            return await self._in_turn(case, ticket, waiting)
        finally:
            watching.cancel()

    async def _in_turn(
        self,
        case: Callable[[float], Result],
        ticket: Ticket,
        waiting: anyio.CancelScope,
    ) -> Result:
        arrived_s = time.perf_counter()
        if ticket.deadline_s is not None:
            waiting.deadline = anyio.current_time() + ticket.deadline_s - time.monotonic()
        with waiting:
            await self._turns.take(ticket.urgency)
        if waiting.cancelled_caught:
            ticket.check()
            raise AbandonedError
        try:
            await asyncio.sleep(0)  # lets the watch say that the client has gone already
            ticket.check()
            began_s = time.perf_counter()
            with holding(ticket):
                result = await anyio.to_thread.run_sync(case, began_s - arrived_s, limiter=self._workers)
            self._case_s = MEMORY * self._case_s + (1 - MEMORY) * (time.perf_counter() - began_s)
            return result
        finally:
            self._turns.give()


class _Turns:
    """A semaphore that lets the most urgent in first, and among equals who came first."""

    def __init__(self, free: int) -> None:
        self.free = free
        self._waiting: list[tuple[Urgency, int, anyio.Event]] = []
        self._arrived = 0

    async def take(self, urgency: Urgency) -> None:
        """Wait for a turn; one that is cancelled takes none."""
        if self.free:
            self.free -= 1
            return
        self._arrived += 1
        entry = (urgency, self._arrived, anyio.Event())
        heapq.heappush(self._waiting, entry)
        try:
            await entry[2].wait()
        except BaseException:
            if entry[2].is_set():  # the turn was given in the moment of the cancellation
                self.give()
            else:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def give(self) -> None:
        """Give a turn to who is next."""
        if self._waiting:
            heapq.heappop(self._waiting)[2].set()
        else:
            self.free += 1


async def _watch(
    departure: Callable[[], Awaitable[object]], ticket: Ticket, waiting: anyio.CancelScope
) -> None:
    """Mark the ticket of a client that has gone, and end its wait for a turn."""
    await departure()
    ticket.gone.set()
    waiting.cancel()
