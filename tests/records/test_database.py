"""Migrations and tables say the same on SQLite and on PostgreSQL; what opens at the same time waits."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import IntegrityError

from app.records.database import open_database
from app.records.tables import Base
from tests.records.conftest import Place
from tests.support.waiting import LONGEST_S


def test_migrations_build_exactly_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_opening_twice_changes_nothing(place: Place) -> None:
    open_database(place).dispose()
    engine = open_database(place)
    assert set(inspect(engine).get_table_names()) == {"alembic_version", *Base.metadata.tables}
    engine.dispose()


def test_of_processes_that_open_at_the_same_time_the_second_waits_for_the_first(place: Place) -> None:
    opening = (
        "import sys; from pathlib import Path; from app.records.database import open_database;"
        "open_database(sys.argv[1] if '://' in sys.argv[1] else Path(sys.argv[1])).dispose()"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", opening, str(place)])  # noqa: S603 - our own words
        for _ in range(2)
    ]
    assert [process.wait(timeout=LONGEST_S) for process in processes] == [0, 0]


def test_a_fault_of_the_program_is_not_taken_for_one_of_the_database(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.exec_driver_sql(
            "INSERT INTO feedback (prediction_id, updated) VALUES ('absent', '2026-11-23 10:00:00')"
        )
