"""Take what an SQLite file holds into a PostgreSQL database, once, when a site grows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Table, delete, func, select

from app.errors import MalformedRequestError, NotReadyError
from app.records.database import open_database
from app.records.tables import AuditRow, Base

BATCH: Final = 500
EMPTY: Final = ("predictions", "jobs", "api_keys", "audit")
"""Tables in which the target may hold no row; what the migrations themselves put into others is replaced."""
USED: Final = {"predictions": "SELECT 1 FROM predictions LIMIT 1", "jobs": "SELECT 1 FROM jobs LIMIT 1"}
"""Tables of which one has rows in a database that a service worked on, unless all was over its time since."""


def copy_records(file: Path, url: str) -> dict[str, int]:
    """Copy every row of every table, or none.

    Args:
        file: Of SQLite; no service writes to it meanwhile.
        url: `postgresql://...`, a database without answers, jobs, keys and lines of the audit trail.

    Returns:
        How many rows each table holds now.

    Raises:
        MalformedRequestError: There is no such file, the database is in use, or a text cannot be kept in it.
        StorageUnavailableError: One of the two does not answer.
    """
    if not file.is_file():
        raise MalformedRequestError("Expected records.sqlite3 in the folder NEUROFUSE_DATA; there is none.")
    with (
        _opened(file) as source,
        _opened(url) as target,
        source.connect() as reading,
        target.begin() as writing,
    ):
        _require_empty(writing)
        for table in reversed(Base.metadata.sorted_tables):
            writing.execute(delete(table))
        return {table.name: _copy(table, reading, writing) for table in Base.metadata.sorted_tables}


def require_taken_along(file: Path, url: str) -> None:
    """Refuse to begin on a new database beside a file of answers: of those it knows nothing, so that their heatmaps would be removed as leftovers.

    Args:
        file: Of SQLite, where there is one.
        url: `postgresql://...`.

    Raises:
        NotReadyError: There is such a file with answers or jobs, and the database has none.
        StorageUnavailableError: The database does not answer.
    """
    if file.is_file() and _is_used(file):
        with _opened(url) as target, target.connect() as connection:
            if not (any(_count(name, connection) for name in USED) or _has_trail(connection)):
                raise NotReadyError(
                    "Expected the new database to hold the answers of records.sqlite3 in the folder NEUROFUSE_DATA; it is empty. "
                    "Run `neurofuse copy-records` first, or move that file away."
                )


def _has_trail(connection: Connection) -> bool:
    """Of a service; keys may be made before its first start."""
    lines = select(func.count()).select_from(AuditRow).where(AuditRow.action.not_like("keys %"))
    return bool(connection.scalar(lines))


def _is_used(file: Path) -> bool:
    """Whether it holds answers or jobs, or cannot be read; looked at as it is, since an older release may be what goes on with it."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as reading:
            there = {name for (name,) in reading.execute("SELECT name FROM sqlite_master")}
            # 0.1.0 had no jobs
            return any(reading.execute(one).fetchone() for name, one in USED.items() if name in there)
    except sqlite3.Error:
        return True


@contextmanager
def _opened(place: Path | str) -> Iterator[Engine]:
    engine = open_database(place)
    try:
        yield engine
    finally:
        engine.dispose()


def _require_empty(connection: Connection) -> None:
    for name in EMPTY:
        if _count(name, connection):
            raise MalformedRequestError(
                f"Expected a new database; the table {name} of this one has rows. Make another."
            )


def _count(name: str, connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(Base.metadata.tables[name])) or 0


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    copied = 0
    rows = reading.execution_options(yield_per=BATCH).execute(select(table))
    for part in rows.mappings().partitions():
        writing.execute(table.insert(), [dict(row) for row in part])
        copied += len(part)
    return copied
