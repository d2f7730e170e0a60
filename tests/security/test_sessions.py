"""Sessions end when they should, whoever holds the cookie, and the database opens none."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.records.sessions import SessionRecords, SignedIn
from app.records.store import RecordStore
from app.security.principal import Principal
from app.security.sessions import Sessions
from tests.support.records import tables_at

CLARA = Principal("oidc:1", "oidc", frozenset({"clinician", "admin"}), "Clara Clinician")
IDLE, LIFETIME = timedelta(minutes=30), timedelta(hours=10)


@pytest.fixture
def records(tmp_path: Path) -> SessionRecords:
    return RecordStore(tables_at(tmp_path / "records.sqlite3")).sessions


@pytest.fixture
def sessions(records: SessionRecords) -> Sessions:
    return Sessions(records, IDLE, LIFETIME)


def begun(records: SessionRecords, ago: timedelta, idle: timedelta, roles: str = "clinician") -> str:
    """A session that was begun and last used some time ago; its value."""
    value, now = f"{ago} {idle}", datetime.now(UTC)
    digest = hashlib.sha256(value.encode()).hexdigest()
    records.add(SignedIn(digest, CLARA.subject, CLARA.name, roles, now - ago, now - idle))
    return value


def test_a_session_finds_who_began_it(sessions: Sessions) -> None:
    value = sessions.begin(CLARA)
    found = sessions.find(value)
    assert found is not None
    assert found.principal == CLARA
    assert timedelta(hours=9) < found.expires - datetime.now(UTC) <= LIFETIME


def test_two_sessions_have_nothing_in_common(sessions: Sessions) -> None:
    first, second = sessions.begin(CLARA), sessions.begin(CLARA)
    sessions.end(first)
    assert sessions.find(first) is None
    assert sessions.find(second) is not None


def test_the_database_holds_no_value_that_opens_a_session(
    sessions: Sessions, records: SessionRecords
) -> None:
    value = sessions.begin(CLARA)
    (kept,) = records.all()
    assert value not in str(kept)
    assert sessions.find(kept.digest) is None


@pytest.mark.parametrize("value", ["", "x", "\0", "é" * 9999])
def test_what_is_no_value_finds_nothing(sessions: Sessions, value: str) -> None:
    sessions.begin(CLARA)
    assert sessions.find(value) is None


def test_who_does_nothing_is_signed_out(sessions: Sessions, records: SessionRecords) -> None:
    hour = timedelta(hours=1)
    assert sessions.find(begun(records, hour, IDLE - timedelta(minutes=1))) is not None
    assert sessions.find(begun(records, hour, IDLE)) is None


def test_who_goes_on_is_signed_out_at_last(sessions: Sessions, records: SessionRecords) -> None:
    now = timedelta(0)
    assert sessions.find(begun(records, LIFETIME - timedelta(minutes=1), now)) is not None
    assert sessions.find(begun(records, LIFETIME, now)) is None


def test_use_is_noted_so_that_nobody_at_work_is_signed_out(
    sessions: Sessions, records: SessionRecords
) -> None:
    value = begun(records, timedelta(hours=1), timedelta(minutes=29))
    assert sessions.find(value, is_use=False) is not None
    (kept,) = records.all()
    assert datetime.now(UTC) - kept.seen > timedelta(minutes=28)
    assert sessions.find(value) is not None
    (kept,) = records.all()
    assert datetime.now(UTC) - kept.seen < timedelta(minutes=1)


def test_a_role_that_no_longer_exists_lets_nobody_in(sessions: Sessions, records: SessionRecords) -> None:
    found = sessions.find(begun(records, timedelta(0), timedelta(0), "clinician emperor"))
    assert found is not None
    assert found.principal.roles == {"clinician"}


def test_what_is_over_is_forgotten_names_and_all(sessions: Sessions, records: SessionRecords) -> None:
    alive = sessions.begin(CLARA)
    begun(records, LIFETIME, timedelta(0))
    begun(records, timedelta(hours=1), IDLE)
    assert sessions.sweep() == 2
    assert len(records.all()) == 1
    assert sessions.find(alive) is not None


def test_every_session_of_a_person_can_be_ended(sessions: Sessions, records: SessionRecords) -> None:
    mine = [sessions.begin(CLARA), sessions.begin(CLARA)]
    other = sessions.begin(Principal("oidc:2", "oidc", frozenset(), "Olga"))
    assert records.delete_of(CLARA.subject) == 2
    assert [sessions.find(value) for value in mine] == [None, None]
    assert sessions.find(other) is not None
