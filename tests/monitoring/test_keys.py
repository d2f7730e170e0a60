"""The end of a key that a sender uses is told while there is time to replace it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from app.monitoring.keys import IN_USE, KeyWatch
from app.records.store import RecordStore
from app.security.keys import make_key

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
GAUGE = "neurofuse_api_key_next_expiry_timestamp_seconds"


def test_what_is_told_is_the_first_end_of_keys_in_use_the_ended_until_they_are_revoked(
    tmp_path: Path,
) -> None:
    store = RecordStore(tmp_path / "records.sqlite")
    records, registry = store.api_keys, CollectorRegistry()
    watch = KeyWatch(records, lambda: NOW)
    registry.register(watch)
    ended, _ = make_key("router", {"system"}, 1, NOW - timedelta(days=2))
    good, _ = make_key("router", {"system"}, 1, NOW)
    forgotten, _ = make_key("trial", {"system"}, 10, NOW - IN_USE - timedelta(days=5))
    for each, used in ((ended, NOW - timedelta(days=1)), (good, NOW), (forgotten, NOW - IN_USE * 1.1)):
        records.add(each)
        records.used(each.id, used)
    assert registry.get_sample_value(GAUGE) is None
    watch.refresh()
    assert registry.get_sample_value(GAUGE) == ended.expires.timestamp()
    records.revoke(ended.id, NOW)
    watch.refresh()
    assert registry.get_sample_value(GAUGE) == good.expires.timestamp()
    store.close()
