"""Open the database, SQLite or PostgreSQL, and bring its tables up to date."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine, event

from app.errors import NotReadyError
from app.records.faults import explain
from app.records.postgresql import postgresql_engine
from app.records.sqlite import sqlite_engine

MIGRATIONS: Final = Path(__file__).parent / "migrations"
DEFAULT_CONNECTIONS: Final = 10

START_LOCK: Final = {
    # The write lock first: of two processes that start together, the second waits and finds the work done.
    "sqlite": "BEGIN IMMEDIATE",
    # A lock of our own, let go with the transaction, and waited for as long as another start needs; the number is "neurof" in ASCII.
    "postgresql": "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(121382041186150)",
}


def open_database(place: Path | str, connections: int = DEFAULT_CONNECTIONS) -> Engine:
    """Open a database with every migration applied.

    Args:
        place: File of SQLite, whose folder must exist; or `postgresql://...`.
        connections: Most connections of this process to a PostgreSQL server.

    Returns:
        An engine. Where the database cannot answer now, its calls raise `StorageUnavailableError`.

    Raises:
        StorageUnavailableError: It does not answer.
        NotReadyError: A newer release has written it.
    """
    engine = sqlite_engine(place) if isinstance(place, Path) else postgresql_engine(place, connections)
    event.listen(engine, "handle_error", explain)
    try:
        _migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        connection.exec_driver_sql(START_LOCK[engine.dialect.name])
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:  # its tables are of a revision that this release does not know
            raise NotReadyError(
                "Expected a database of this release or an older one; a newer release has changed its tables. "
                "Start that one, or restore the backup that was made before the update."
            ) from None
