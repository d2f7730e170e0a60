"""Lines of the audit trail are removed by age, where the operator wants it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from app.records.audit import AuditTrail

FORGET_EVERY_S: Final = 3600.0


class AuditRetention:
    """Removes lines of the audit trail that are over their time, once an hour: each time leaves a line of its own.

    Args:
        trail: The trail.
        max_age_s: Seconds until a line is gone; infinite where it stays for ever.
        now: Unix time in seconds.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        trail: AuditTrail,
        max_age_s: float,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trail = trail
        self._max_age_s = max_age_s
        self._now = now
        self._monotonic = monotonic
        self._next_s = float("-inf")

    def sweep(self) -> int:
        """Remove them; the number of lines removed."""
        if self._max_age_s == float("inf") or self._monotonic() < self._next_s:
            return 0
        self._next_s = self._monotonic() + FORGET_EVERY_S
        return self._trail.forget_before(datetime.fromtimestamp(self._now() - self._max_age_s, UTC))
