"""Open the embedded database and bring its tables up to date."""

import sqlite3
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Engine, create_engine, event

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 10
RETRY_S = 0.01


def open_database(path: Path) -> Engine:
    """Open the SQLite file, creating it where it is absent, with every migration applied.

    Args:
        path: The database file; its folder must exist.

    Returns:
        An engine whose connections use write-ahead logging, so readers never wait for a writer.
    """
    _use_write_ahead_log(path)
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_connection)
    _migrate(engine)
    return engine


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
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        else:
            return
        finally:
            connection.close()
        time.sleep(RETRY_S)


def _prepare_connection(connection: sqlite3.Connection, _record: object) -> None:
    # NORMAL is safe against corruption under a write-ahead log and one fsync cheaper per commit.
    # What is deleted is a patient's: its bytes are overwritten, not only set free.
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        # The write lock first: of two processes that start together, the second waits and finds the work done.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
