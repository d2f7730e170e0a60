"""What is a fault of one package is logged and passed over; a database that is away is told to whoever refreshes."""

import pytest
from structlog.testing import capture_logs

from app.errors import StorageUnavailableError
from app.metrics import Metrics
from app.monitoring.faults import faults_told, tell_unreadable
from app.monitoring.room import refresh_once
from tests.support.tiny_package import tiny_manifest

MANIFEST = tiny_manifest("gos", "gos", 1)


def spoilt() -> None:
    raise ValueError("71 years")


def counted(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("neurofuse_watch_faults_total")


def test_a_fault_is_counted_and_logged_by_package_type_and_place_without_its_message() -> None:
    metrics = Metrics()
    with capture_logs() as lines, faults_told(MANIFEST, metrics.watch_faults):
        spoilt()
    assert counted(metrics) == 1
    (line,) = lines
    assert (line["event"], line["model"], line["error_type"]) == ("watch-fault", "gos@1", "ValueError")
    assert not any("71 years" in str(value) for value in line.values())


def test_a_database_that_is_away_ends_the_round() -> None:
    metrics = Metrics()
    with (
        capture_logs() as lines,
        pytest.raises(StorageUnavailableError),
        faults_told(MANIFEST, metrics.watch_faults),
    ):
        raise StorageUnavailableError("It is away.")
    assert (lines, counted(metrics)) == ([], 0)


class Away:
    """A watch whose database is away."""

    def refresh(self) -> None:
        """As one that asks it."""
        raise StorageUnavailableError("It is away.")


def test_a_round_that_ended_is_counted_and_logged_once() -> None:
    metrics = Metrics()
    with capture_logs() as lines:
        refresh_once(Away(), metrics.watch_faults)
    assert [line["event"] for line in lines] == ["watch-fault"]
    assert counted(metrics) == 1


def test_nothing_is_told_where_all_could_be_read() -> None:
    with capture_logs() as lines:
        tell_unreadable(MANIFEST, 0)
        tell_unreadable(MANIFEST, 3)
    assert [line["count"] for line in lines] == [3]
