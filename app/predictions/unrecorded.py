"""Files of answers that no row of the database speaks of are removed: nobody could find them any more, or delete them.

They are there where a process ended, or the database went, between the files of an answer and its row; and, of an answer that was deleted, on the disk
of another machine that had kept its case.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from app.records.leftovers import Leftovers

CASES_EVERY_S: Final = 600.0
HEATMAPS_EVERY_S: Final = 3600.0
"""Less often: object stores charge for lists."""


class Unrecorded:
    """One kind of such files.

    Args:
        ids: Tells the answers of which there are files.
        delete: Removes those of one.
        recorded: Tells which of these ids belong to an answer, or to a job that may become one.
        every_s: Seconds between two looks; the second that finds them removes them.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        ids: Callable[[], Iterable[str]],
        delete: Callable[[str], None],
        recorded: Callable[[Iterable[str]], set[str]],
        every_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ids = ids
        self._delete = delete
        self._recorded = recorded
        self._every_s = every_s
        self._monotonic = monotonic
        self._leftovers = Leftovers(monotonic=monotonic)
        self._next_s = float("-inf")

    def sweep(self) -> int:
        """Remove them, where it is time to look; the number of answers that had some."""
        if self._monotonic() < self._next_s:
            return 0
        self._next_s = self._monotonic() + self._every_s
        ids = set(self._ids())
        over = self._leftovers.among(ids - self._recorded(ids))
        for each in over:
            self._delete(each)
        return len(over)
