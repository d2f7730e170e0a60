"""Removes, once a minute, what was kept for its time."""

from collections.abc import Sequence
from typing import Final, Protocol

import anyio
import anyio.to_thread
import structlog

from app.telemetry import describe_exception

SWEEP_EVERY_S: Final = 60.0

log = structlog.stdlib.get_logger(__name__)


class Swept(Protocol):
    """A store that knows what is over its time."""

    def sweep(self) -> int:
        """Remove it; the number of things removed."""


async def keep_sweeping(stores: Sequence[Swept], every_s: float = SWEEP_EVERY_S) -> None:
    """Sweeps at once, then again and again, until it is cancelled.

    Args:
        stores: What to sweep.
        every_s: Seconds between two sweeps.
    """
    while True:
        for store in stores:
            await anyio.to_thread.run_sync(sweep_once, store)
        await anyio.sleep(every_s)


def sweep_once(store: Swept) -> None:
    """Sweeps one store; a fault is logged and tried again a minute later, since the service must go on."""
    try:
        removed = store.sweep()
    except Exception as error:  # noqa: BLE001 - the disk may say anything
        log.error("sweep-fault", **describe_exception(error))  # noqa: TRY400 - no message, which may hold a path
        return
    if removed:
        log.info("swept", count=removed)
