"""The file is fit for concurrent use, and what was committed is on the disk."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from app.errors import StorageUnavailableError
from app.records.database import open_database
from app.records.predictions import PredictionRecords


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(tmp_path / "records.sqlite3")
    yield opened
    opened.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1)],
)
def test_connections_log_ahead_wait_for_the_disk_and_overwrite_what_they_delete(
    engine: Engine, pragma: str, value: object
) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_a_text_with_a_damaged_byte_hides_no_row(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT 'sound' UNION ALL SELECT CAST(x'66ff' AS TEXT)").all()
    assert [text for (text,) in rows] == ["sound", "f\N{REPLACEMENT CHARACTER}"]


def test_nobody_but_its_owner_reads_the_file_and_its_log(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM feedback")
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()} == {
        f"records.sqlite3{suffix}": "0o600" for suffix in ("", "-shm", "-wal")
    }


def test_a_file_that_is_no_database_is_unavailable_and_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "records.sqlite3"
    path.write_bytes(b"something else " * 1000)
    with pytest.raises(StorageUnavailableError):
        open_database(path)
    assert "SQLITE_NOTADB" in capsys.readouterr().out
    assert path.read_bytes() == b"something else " * 1000


def test_a_damaged_file_is_unavailable_and_no_fault_of_the_program(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    open_database(path).dispose()
    page = 4096
    sound = path.read_bytes()
    path.write_bytes(
        sound[:page] + b"\xff" * (len(sound) - page)
    )  # a disk that gives other bytes than it took
    with pytest.raises(StorageUnavailableError):
        PredictionRecords(open_database(path)).get("absent")


def test_a_mode_that_an_operator_chose_stays(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    path.touch()
    path.chmod(0o660)
    open_database(path).dispose()
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_file_that_everybody_could_read_is_closed_to_them_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    open_database(path).dispose()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:  # its log stays, as after a kill
        other.execute("DELETE FROM feedback")
        for file in (files := list(tmp_path.iterdir())):
            file.chmod(0o644)
        open_database(path).dispose()
        assert {file.name: oct(file.stat().st_mode & 0o777) for file in files} == {
            f"records.sqlite3{suffix}": "0o600" for suffix in ("", "-shm", "-wal")
        }


def test_a_file_that_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    writing = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.readline()"
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", writing, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        released, close = threading.Event(), holder.stdin.close

        def let_go() -> None:
            released.set()
            close()

        release = threading.Timer(0.5, let_go)
        release.start()
        engine = open_database(path)
        assert released.is_set(), "opened while the other process held the file"
        engine.dispose()
        release.join()


def test_a_file_that_cannot_be_written_now_is_no_fault_of_the_program(engine: Engine, tmp_path: Path) -> None:
    def hurry(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=1")

    event.listen(engine, "connect", hurry)
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "records.sqlite3")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailableError) as raised, engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM feedback")
    assert raised.value.fields["retry_after_s"] > 0
    PredictionRecords(engine).caller("absent")
