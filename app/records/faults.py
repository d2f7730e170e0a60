"""What goes wrong with a database or a disk, in our own words."""

import errno
import sqlite3
from typing import Final

import structlog
from sqlalchemy import ExceptionContext, PoolProxiedConnection, QueuePool
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.errors import MalformedRequestError, NotReadyError, StorageUnavailableError
from app.errors.disk import UNAVAILABLE_DISK

RETRY_AFTER_S: Final = 5
UNAVAILABLE_SQLITE: Final = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
})  # fmt: skip
"""Busy, full, not to be reached, or damaged; the log says which."""
UNAVAILABLE_SQLSTATE: Final = ("08", "25P03", "40", "53", "55P03", "57", "58")
"""Classes of SQLSTATE, and of some only a code: connection exception; a transaction that was idle for too long, as where this machine stood still;
one that was taken back for others' sake, by a deadlock or by isolation; insufficient resources; a lock that was not given in time (`app.records.postgresql`);
operator intervention; an error of the server's own disk."""
NO_ADDRESS: Final = (
    "Expected NEUROFUSE_DATABASE_URL as postgresql://user@host/name with parameters of libpq, such as "
    "?sslmode=verify-full, and several servers as ?host=a,b&port=5432,5432; some of it is something else."
)
NO_ANSWER: Final = "Expected the database to answer; it does not. Try again later."
NO_RIGHT: Final = (
    "Expected the role of NEUROFUSE_DATABASE_URL to own its database and its tables; it may not do what the service needs. "
    "As a superuser: ALTER DATABASE name OWNER TO role, and the same of tables that another role has made."
)
READ_ONLY: Final = "25006"
"""SQLSTATE of a server that only reads now: a primary that became a standby, or a managed server whose disk is full."""
NOT_ALLOWED: Final = ("42501", "3F000")
"""SQLSTATE of a role that may not do what it is about to, or may use no schema."""

log = structlog.stdlib.get_logger(__name__)


class Connections(QueuePool):
    """The connections of a process; where all are busy for too long, the database counts as unavailable."""

    # Its log lines are SQLAlchemy's words, and withheld as such (`app.telemetry`).
    _sqla_logger_namespace = "sqlalchemy.pool"

    def connect(self) -> PoolProxiedConnection:
        """Wait for one.

        Raises:
            StorageUnavailableError: None was given back in time.
        """
        try:
            return super().connect()
        except PoolTimeoutError:
            raise _told("all connections are busy") from None


def explain(context: ExceptionContext) -> None:
    """Take what is no fault of the program for what it is; a listener of SQLAlchemy's event `handle_error`.

    Raises:
        StorageUnavailableError: The database cannot answer now, or its role may not work in it.
        MalformedRequestError: It cannot keep what it was given.
        NotReadyError: Its address cannot be understood.
    """
    if context.is_pre_ping:
        return  # the pool itself replaces the connection
    error = context.original_exception
    if _state(error) == READ_ONLY:
        context.is_disconnect = True  # a new connection may find the primary, or a server that writes again
        raise unavailable(error)
    if _is_unavailable(error, context.sqlalchemy_exception):
        raise unavailable(error)
    if (state := _state(error)) in NOT_ALLOWED:
        raise _told(state, NO_RIGHT) from None
    if isinstance(context.sqlalchemy_exception, ProgrammingError) and context.connection is None:
        raise NotReadyError(NO_ADDRESS) from None  # of libpq, whose words may hold the password
    if isinstance(context.sqlalchemy_exception, DataError) and not _state(error):
        # PostgreSQL keeps every character but this one, which psycopg notices before it asks the server.
        raise MalformedRequestError("Expected text without the character U+0000; take it out.")


def explain_disk(error: OSError) -> StorageUnavailableError | None:
    """What an error of the operating system is where a disk takes or gives no files; None where it is something else."""
    if error.errno not in UNAVAILABLE_DISK:
        return None
    log.error("disk-unavailable", error_type=errno.errorcode[error.errno])
    return StorageUnavailableError(
        "Expected the disk of the data folder to take files; it does not. Try again later.",
        retry_after_s=RETRY_AFTER_S,
    )


def unavailable(error: BaseException) -> StorageUnavailableError:
    """What such an error of a database is to whoever asked; its code is logged."""
    return _told(_state(error) or "no connection")


def is_unavailable_sqlite(error: sqlite3.Error) -> bool:
    """Whether the file cannot be worked with now, as opposed to a fault of the program."""
    code: int = getattr(
        error, "sqlite_errorcode", sqlite3.SQLITE_OK
    )  # errors of Python's module itself have none
    return code & 0xFF in UNAVAILABLE_SQLITE


def _told(state: str, words: str = NO_ANSWER) -> StorageUnavailableError:
    # No message: a server's may hold a value. Its code says what an operator needs.
    log.error("database-unavailable", error_type=state)
    return StorageUnavailableError(words, retry_after_s=RETRY_AFTER_S)


def _is_unavailable(error: BaseException, wrapped: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return is_unavailable_sqlite(error)
    state = _state(error)
    # Without a state it comes from the client: no connection, or a broken one.
    return isinstance(wrapped, OperationalError) if state is None else state.startswith(UNAVAILABLE_SQLSTATE)


def _state(error: BaseException) -> str | None:
    """The code of an error: SQLSTATE as psycopg has it, or SQLite's name."""
    state: str | None = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return state
