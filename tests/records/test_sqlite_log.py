"""What was deleted can be read nowhere in the folder of the database, once the log was swept."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.records.sqlite_log import WriteAheadLog
from app.records.store import RecordStore
from tests.records.test_predictions import kept

PLANTED = "PLANTED-CASE-17"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "records.sqlite3"


@pytest.fixture
def records(database: Path) -> Iterator[RecordStore]:
    """A database in use, in which an answer was kept and deleted."""
    with closing(RecordStore(database)) as store:
        store.predictions.add(replace(kept(), reference=PLANTED))
        store.predictions.delete("a")
        yield store


def holding(folder: Path) -> set[str]:
    """Names of the files in which the text can be read."""
    return {file.name for file in folder.iterdir() if PLANTED.encode() in file.read_bytes()}


def test_deleted_text_leaves_the_log_of_a_database_that_nobody_writes(
    records: RecordStore, database: Path
) -> None:
    assert holding(database.parent) == {"records.sqlite3-wal"}
    assert records.write_ahead_log.sweep() == 0
    assert holding(database.parent) == set()
    assert records.predictions.recorded(["a"]) == set()


def test_a_log_that_is_read_is_emptied_by_a_later_sweep(records: RecordStore, database: Path) -> None:
    with closing(sqlite3.connect(database)) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM predictions").fetchall()
        records.predictions.add(replace(kept("b"), reference=PLANTED))
        records.predictions.delete("b")
        assert records.write_ahead_log.sweep() == 0
        assert holding(database.parent) == {"records.sqlite3-wal"}
    records.write_ahead_log.sweep()
    assert holding(database.parent) == set()


def test_where_there_is_no_log_nothing_is_made(tmp_path: Path) -> None:
    assert WriteAheadLog(tmp_path / "records.sqlite3").sweep() == 0
    assert WriteAheadLog("postgresql://neurofuse@db.example/neurofuse").sweep() == 0
    assert list(tmp_path.iterdir()) == []
