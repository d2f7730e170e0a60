"""When the next API key that a sender uses ends, so that it is replaced before its cases are refused."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.records.api_keys import ApiKeyRecords

IN_USE: Final = timedelta(days=30)
"""A key that nobody has shown for so long is missed by nobody. One that ended stays so long in view, unless it is revoked."""


class KeyWatch(Collector):
    """The gauge of keys. It names none: whether an id is one of a key is not for every reader of metrics to know.

    Args:
        records: The keys.
        now: The time.
    """

    def __init__(
        self, records: ApiKeyRecords, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._records = records
        self._now = now
        self._ends: datetime | None = None

    def refresh(self) -> None:
        """Bring the gauge up to date; reads the database."""
        self._ends = self._records.first_end(used_since=self._now() - IN_USE)

    def collect(self) -> Iterator[Metric]:
        """What the last refresh found."""
        gauge = GaugeMetricFamily(
            "neurofuse_api_key_next_expiry_timestamp_seconds",
            "When the first of the API keys in use ends, seconds since 1970.",
        )
        if self._ends is not None:
            gauge.add_metric((), self._ends.timestamp())
        yield gauge
