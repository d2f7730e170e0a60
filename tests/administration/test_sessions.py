"""Who is signed in can be seen and ended by command, beside a service that runs."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app import cli
from app.exit_status import OK
from app.records.store import RecordStore
from app.security.principal import Principal
from app.security.sessions import Sessions
from tests.support.records import tables_at

CLARA = Principal("oidc:1f", "oidc", frozenset({"clinician"}), "Clara Clinician")


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordStore]:
    monkeypatch.setenv("NEUROFUSE_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    with closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as records:
        yield records


@pytest.fixture
def sessions(records: RecordStore) -> Sessions:
    return Sessions(records.sessions, timedelta(minutes=30), timedelta(hours=10))


def test_the_list_names_people_and_shows_nothing_that_opens_a_session(
    sessions: Sessions, capsys: pytest.CaptureFixture[str]
) -> None:
    value = sessions.begin(CLARA)
    assert cli.main(["sessions", "list"]) == OK
    shown = capsys.readouterr().out
    assert CLARA.subject in shown
    assert CLARA.name in shown
    assert value not in shown


@pytest.mark.usefixtures("own_logging")
def test_whoever_is_to_leave_is_out_at_once_and_the_trail_says_so(
    sessions: Sessions, records: RecordStore
) -> None:
    values = [sessions.begin(CLARA), sessions.begin(CLARA)]
    assert cli.main(["sessions", "end", CLARA.subject]) == OK
    assert [sessions.find(value) for value in values] == [None, None]
    (line,) = records.audit.lines()
    assert (line.deed.action, line.deed.object_id) == ("sessions end", CLARA.subject)
    assert cli.main(["sessions", "end", CLARA.subject]) != OK
