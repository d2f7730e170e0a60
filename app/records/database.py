"""Open the database, SQLite or PostgreSQL, and bring its tables up to date."""

import sqlite3
from pathlib import Path
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.exc import DataError, OperationalError

from app.errors import MalformedRequestError, RecordsUnavailableError
from app.records.postgresql import postgresql_engine
from app.records.sqlite import sqlite_engine

MIGRATIONS: Final = Path(__file__).parent / "migrations"
DEFAULT_CONNECTIONS: Final = 10

START_LOCK: Final = {
    # The write lock first: of two processes that start together, the second waits and finds the work done.
    "sqlite": "BEGIN IMMEDIATE",
    # A lock of our own, let go with the transaction; the number is "neurof" in ASCII.
    "postgresql": "SELECT pg_advisory_xact_lock(121382041186150)",
}

RETRY_AFTER_S: Final = 5
UNAVAILABLE_SQLITE: Final = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
UNAVAILABLE_SQLSTATE: Final = ("08", "53", "57")
"""Classes of SQLSTATE: connection exception, insufficient resources, operator intervention."""

log = structlog.stdlib.get_logger(__name__)


def open_database(place: Path | str, connections: int = DEFAULT_CONNECTIONS) -> Engine:
    """Open a database with every migration applied.

    Args:
        place: File of SQLite, whose folder must exist; or `postgresql://...`.
        connections: Most connections of this process to a PostgreSQL server.

    Returns:
        An engine. Where the database cannot answer now, its calls raise `RecordsUnavailableError`.

    Raises:
        RecordsUnavailableError: It does not answer.
    """
    engine = sqlite_engine(place) if isinstance(place, Path) else postgresql_engine(place, connections)
    event.listen(engine, "handle_error", _explain)
    _migrate(engine)
    return engine


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        connection.exec_driver_sql(START_LOCK[engine.dialect.name])
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _explain(context: ExceptionContext) -> None:
    """Say in our own words what is no fault of the program."""
    if context.is_pre_ping:
        return  # the pool itself replaces the connection
    error = context.original_exception
    if isinstance(context.sqlalchemy_exception, OperationalError) and _is_unavailable(error):
        # No message: a server's may hold a value. Its code says what an operator needs.
        log.error("database-fault", error_type=f"{type(error).__name__} {_state(error) or 'no connection'}")
        raise RecordsUnavailableError(
            "Expected the database to answer; it does not. Try again later.", retry_after_s=RETRY_AFTER_S
        )
    if isinstance(context.sqlalchemy_exception, DataError) and not _state(error):
        # PostgreSQL keeps every character but this one; SQLite keeps it too.
        raise MalformedRequestError("Expected text without the character U+0000; take it out.")


def _is_unavailable(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorcode & 0xFF in UNAVAILABLE_SQLITE
    # Without a state it comes from the client: no connection, or a broken one.
    return (_state(error) or UNAVAILABLE_SQLSTATE[0]).startswith(UNAVAILABLE_SQLSTATE)


def _state(error: BaseException) -> str | None:
    """The code of an error: SQLSTATE as psycopg has it, or SQLite's name."""
    state: str | None = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return state
