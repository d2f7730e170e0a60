"""Files that were left over are told from files that are about to be recorded.

A row of the database is written after the files that it speaks of, so that what can be found is there; a process that ends in between leaves files that
nobody can find any more, or delete.
"""

import time
from collections.abc import Callable, Iterable

PATIENCE_S = 600.0
"""Seconds without a row after which files are left over: nobody takes so long from the last file to its row."""


class Leftovers:
    """What was seen without a row, and since when; by the time that passes, not by clocks, which may be set.

    Args:
        patience_s: Seconds without a row after which something is left over.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self, patience_s: float = PATIENCE_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._since_s: dict[str, float] = {}

    def among(self, without_row: Iterable[str]) -> list[str]:
        """Those that are left over.

        Args:
            without_row: Ids of all files that no row speaks of now; who is missing has one, or is gone.
        """
        now_s = self._monotonic()
        self._since_s = {each: self._since_s.get(each, now_s) for each in without_row}
        return [each for each, since_s in self._since_s.items() if now_s - since_s >= self._patience_s]
