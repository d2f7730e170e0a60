"""Answers are removed by age, where the operator wants it: with their feedback, their heatmap and their case. Lines of the audit trail outlive them."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

from app.errors import UnknownPredictionError
from app.predictions.service import PredictionService
from app.predictions.sweeping import PART_S
from app.records.audit import AuditTrail
from app.records.predictions import PredictionRecords

BATCH: Final = 500
FORGET_EVERY_S: Final = 3600.0


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
