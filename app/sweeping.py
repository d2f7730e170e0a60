"""Removes, once a minute, what was kept for its time."""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import anyio
import anyio.to_thread
import structlog
from prometheus_client import Counter

from app.telemetry import log_fault

SWEEP_EVERY_S: Final = 60.0
PART_S: Final = 10.0
"""Seconds after which a sweep of what may be much leaves the rest to the next: a service that is to end waits for it, and so does whatever is swept after it."""
JUMP_S: Final = 3600.0
"""A clock that goes this much faster than time between two sweeps was set, not kept."""
PAUSE_S: Final = 3600.0
"""After a jump nothing is removed for so long: a wrong clock makes everything look old, and what is removed is gone."""

log = structlog.stdlib.get_logger(__name__)


class Swept(Protocol):
    """A store that knows what is over its time."""

    def sweep(self) -> int:
        """Remove it; the number of things removed."""


async def keep_sweeping(
    stores: Sequence[Swept],
    faults: Counter,
    every_s: float = SWEEP_EVERY_S,
    clock: Callable[[], float] = time.time,
) -> None:
    """Sweeps at once, then again and again, until it is cancelled.

    Args:
        stores: What to sweep.
        faults: Counts the sweeps that fail.
        every_s: Seconds between two sweeps.
        clock: Unix time in seconds.
    """
    offset_s, paused_until_s = clock() - time.monotonic(), 0.0
    while True:
        before_s, offset_s = offset_s, clock() - time.monotonic()
        if offset_s - before_s > JUMP_S:
            paused_until_s = time.monotonic() + PAUSE_S
            log.error("clock-jumped")
        elif before_s - offset_s > JUMP_S:
            paused_until_s = 0.0  # it was set right
        if time.monotonic() >= paused_until_s:
            for store in stores:
                await anyio.to_thread.run_sync(sweep_once, store, faults)
        await anyio.sleep(every_s)


def sweep_once(store: Swept, faults: Counter) -> None:
    """Sweeps one store; a fault is logged, counted and tried again a minute later, since the service must go on."""
    try:
        removed = store.sweep()
    except Exception as error:  # noqa: BLE001 - the disk may say anything
        faults.inc()
        log_fault(log, "sweep-fault", error)
        return
    if removed:
        log.info("swept", count=removed)
