"""What is a fault of one package is logged and passed over; a database that is away is told to whoever refreshes."""

import pytest
from structlog.testing import capture_logs

from app.errors import StorageUnavailableError
from app.metrics import Metrics
from app.monitoring.faults import CountedSweep, faults_logged, tell_unreadable
from app.predictions.sweeping import sweep_once
from tests.support.tiny_package import tiny_manifest

MANIFEST = tiny_manifest("gos", "gos", 1)


def spoilt() -> None:
    raise ValueError("71 years")


def test_a_fault_is_logged_by_package_type_and_place_without_its_message() -> None:
    with capture_logs() as lines, faults_logged(MANIFEST):
        spoilt()
    (line,) = lines
    assert (line["event"], line["model"], line["error_type"]) == ("watch-fault", "gos@1", "ValueError")
    assert not any("71 years" in str(value) for value in line.values())


def test_a_database_that_is_away_ends_the_round() -> None:
    with capture_logs() as lines, pytest.raises(StorageUnavailableError), faults_logged(MANIFEST):
        raise StorageUnavailableError("It is away.")
    assert lines == []


def test_a_sweep_that_fails_is_logged_and_counted() -> None:
    class Store:
        left = 2

        def sweep(self) -> int:
            self.left -= 1
            return 1 // self.left

    metrics = Metrics()
    counted = CountedSweep(Store(), metrics.sweep_faults)
    with capture_logs() as lines:
        for number in range(3):
            sweep_once(counted)
            assert metrics.registry.get_sample_value("neurofuse_sweep_faults_total") == min(number, 1)
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["sweep-fault"]


def test_nothing_is_told_where_all_could_be_read() -> None:
    with capture_logs() as lines:
        tell_unreadable(MANIFEST, 0)
        tell_unreadable(MANIFEST, 3)
    assert [line["count"] for line in lines] == [3]
