"""How often a caller may ask. Counted in this process: behind a balancer each process has its own count."""

from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

MINUTE_S: Final = 60


class Rates:
    """Counts requests of callers over the last minute.

    Args:
        per_minute: Most of them; 0 for no bound.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def wait_s(self, caller: str) -> int:
        """Count a request.

        Args:
            caller: Who asks, in whatever way callers are told apart.

        Returns:
            0 where it may go on; else the seconds after which another may.
        """
        if self._limit is None or self._limiter.hit(self._limit, caller):
            return 0
        # A sliding window frees its places one by one.
        return max(1, MINUTE_S // self._limit.amount)
