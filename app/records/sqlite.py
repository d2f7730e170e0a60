"""The embedded database: one file, written by the processes of one machine."""

import sqlite3
import stat
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Engine, create_engine, event

from app.records.faults import Connections, is_unavailable_sqlite, unavailable

BUSY_TIMEOUT_S: Final = 10
OWNER_ONLY: Final = 0o600
RETRY_S: Final = 0.01


def sqlite_engine(path: Path) -> Engine:
    """Open the file, creating it where it is absent.

    Args:
        path: The database file; its folder must exist.

    Returns:
        An engine whose connections use write-ahead logging, so readers never wait for a writer.

    Raises:
        StorageUnavailableError: The file cannot be worked with: busy for too long, damaged, or no database.
    """
    # SQLite gives its log and its index the mode of the file; by itself it would let everybody on the machine read it.
    path.touch(OWNER_ONLY)
    _close_to_others(path)
    _use_write_ahead_log(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=Connections,
        connect_args={"timeout": BUSY_TIMEOUT_S},
    )
    event.listen(engine, "connect", _prepare_connection)
    return engine


def _close_to_others(path: Path) -> None:
    """Release 0.1.0 let everybody on the machine read the file; a mode that says nothing of everybody is an operator's choice."""
    for file in (path, *(Path(f"{path}{suffix}") for suffix in ("-wal", "-shm"))):
        # The two others are there while somebody works with it; and what is another user's stays as it is.
        with suppress(FileNotFoundError, PermissionError):
            if file.stat().st_mode & stat.S_IRWXO:
                file.chmod(OWNER_ONLY)


def _use_write_ahead_log(path: Path) -> None:
    """Set the journal mode, which the file keeps (https://www.sqlite.org/wal.html).

    SQLite answers "locked" at once, whatever the busy timeout, where another process holds the file in this very
    moment: waiting with a read lock in hand could be a deadlock. So this connection lets go and tries again.
    """
    give_up = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                if is_unavailable_sqlite(error):
                    raise unavailable(error) from None
                raise
        else:
            return
        finally:
            connection.close()
        time.sleep(RETRY_S)


def _prepare_connection(connection: sqlite3.Connection, _record: object) -> None:
    # A text with a damaged byte is read all the same: by itself, Python would give none of the rows that are asked for with it.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    # FULL, since what was accepted must survive a power cut: under a write-ahead log, NORMAL is safe against corruption,
    # but the last commits may be rolled back (https://www.sqlite.org/pragma.html#pragma_synchronous).
    # What is deleted is a patient's: its bytes are overwritten, not only set free.
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
