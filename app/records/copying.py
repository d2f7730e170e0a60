"""Take what an SQLite file holds into a PostgreSQL database, once, when a site grows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Table, delete, func, select

from app.errors import MalformedRequestError
from app.records.database import open_database
from app.records.tables import Base

BATCH: Final = 500
EMPTY: Final = ("predictions", "jobs", "api_keys", "audit")
"""Tables in which the target may hold no row; what the migrations themselves put into others is replaced."""


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


@contextmanager
def _opened(place: Path | str) -> Iterator[Engine]:
    engine = open_database(place)
    try:
        yield engine
    finally:
        engine.dispose()


def _require_empty(connection: Connection) -> None:
    for name in EMPTY:
        if connection.scalar(select(func.count()).select_from(Base.metadata.tables[name])):
            raise MalformedRequestError(
                f"Expected a new database; the table {name} of this one has rows. Make another."
            )


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    copied = 0
    rows = reading.execution_options(yield_per=BATCH).execute(select(table))
    for part in rows.mappings().partitions():
        writing.execute(table.insert(), [dict(row) for row in part])
        copied += len(part)
    return copied
