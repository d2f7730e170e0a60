"""Answers are removed by age, where the operator wants it: with their feedback, their heatmap and their case. Lines of the audit trail outlive them."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

from app.errors import UnknownPredictionError
from app.predictions.service import PredictionService
from app.records.predictions import PredictionRecords
from app.sweeping import PART_S

BATCH: Final = 500


class Retention:
    """Removes answers that are over their time.

    Args:
        predictions: Removes one.
        records: Knows how old they are.
        max_age_s: Seconds until an answer is gone; infinite where it stays for ever.
        now: Unix time in seconds.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        predictions: PredictionService,
        records: PredictionRecords,
        max_age_s: float,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._predictions = predictions
        self._records = records
        self._max_age_s = max_age_s
        self._now = now
        self._monotonic = monotonic

    def sweep(self) -> int:
        """Remove them, the oldest first, as many as a sweep has time for; the number of answers removed."""
        if self._max_age_s == float("inf"):
            return 0
        end_s, removed = self._monotonic() + PART_S, 0
        for prediction_id in takewhile(lambda _: self._monotonic() < end_s, self._over()):
            # Another process may sweep the same database.
            with suppress(UnknownPredictionError):
                self._predictions.delete(prediction_id)
            removed += 1
        return removed

    def _over(self) -> Iterator[str]:
        before = datetime.fromtimestamp(self._now() - self._max_age_s, UTC)
        while over := self._records.made_before(before, BATCH):
            yield from over
