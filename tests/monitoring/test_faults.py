"""What is a fault of one package is logged and passed over; a database that is away is told to whoever refreshes."""

import pytest
from structlog.testing import capture_logs

from app.errors import StorageUnavailableError
from app.monitoring.faults import faults_logged, tell_unreadable
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


def test_nothing_is_told_where_all_could_be_read() -> None:
    with capture_logs() as lines:
        tell_unreadable(MANIFEST, 0)
        tell_unreadable(MANIFEST, 3)
    assert [line["count"] for line in lines] == [3]
