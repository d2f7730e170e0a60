"""How many cases may be here at once, and how many of them are worked on."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from prometheus_client import Gauge

from app.errors import OverloadedError

RETRY_AFTER_S: Final = 5
"""Roughly two cases of reading and inference; clients add jitter of their own."""

Result = TypeVar("Result")


class AbandonedError(Exception):
    """The client went away before its turn came; nobody is left to read an answer."""


class Admission:
    """A bounded queue in front of a bounded number of worker threads.

    Args:
        concurrent: Cases worked on at the same time.
        queue_limit: Cases that may upload or wait beside these.
        pending: Gauge that follows the number of cases inside.
    """

    def __init__(self, concurrent: int, queue_limit: int, pending: Gauge) -> None:
        self._places = concurrent + queue_limit
        self._turns = anyio.Semaphore(concurrent)
        self._workers = anyio.CapacityLimiter(concurrent)
        self._inside = 0
        self._pending = pending

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places while a case uploads, waits and is worked on; call on the event loop.

        Raises:
            OverloadedError: Every place is taken.
        """
        if self._inside >= self._places:
            raise OverloadedError(
                f"Expected at most {self._places} cases at once; all places are taken. Try again later.",
                limit=self._places,
                retry_after_s=RETRY_AFTER_S,
            )
        self._inside += 1
        self._pending.set(self._inside)
        try:
            yield
        finally:
            self._inside -= 1
            self._pending.set(self._inside)

    async def work(self, case: Callable[[float], Result], abandoned: Callable[[], Awaitable[bool]]) -> Result:
        """Run one case in a worker thread once one is free.

        Args:
            case: Given the seconds it waited.
            abandoned: Whether the client has gone; asked once, just before work would begin.

        Raises:
            AbandonedError: The client has gone, nothing was run.
        """
        arrived = time.perf_counter()
        async with self._turns:
            waited_s = time.perf_counter() - arrived
            if await abandoned():
                raise AbandonedError
            return await anyio.to_thread.run_sync(case, waited_s, limiter=self._workers)
