"""Migrations and tables say the same, and the file is fit for concurrent use."""

import subprocess
import sys
import threading
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from app.records.database import open_database
from app.records.tables import Base


def test_migrations_build_exactly_the_declared_tables(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "records.sqlite3")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    open_database(tmp_path / "records.sqlite3").dispose()
    engine = open_database(tmp_path / "records.sqlite3")
    assert set(inspect(engine).get_table_names()) == {"alembic_version", *Base.metadata.tables}
    engine.dispose()


def test_connections_use_write_ahead_logging(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "records.sqlite3")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_a_second_process_that_opens_waits_for_the_first(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    opening = [
        sys.executable,
        "-c",
        f"from pathlib import Path; from app.records.database import open_database; open_database(Path({str(path)!r}))",
    ]
    processes = [subprocess.Popen(opening) for _ in range(2)]  # noqa: S603 - our own words
    assert [process.wait(timeout=60) for process in processes] == [0, 0]


def test_a_file_that_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    writing = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.readline()"
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", writing, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        release = threading.Timer(0.5, holder.stdin.close)
        release.start()
        engine = open_database(path)
        assert not release.is_alive(), "opened while the other process held the file"
        engine.dispose()
        release.join()
