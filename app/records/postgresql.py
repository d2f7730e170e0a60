"""A PostgreSQL server as the database, for several processes and machines."""

from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import NotReadyError
from app.records.faults import NO_ADDRESS, Connections

if TYPE_CHECKING:
    import psycopg

POOL_TIMEOUT_S: Final = 30
DRIVER: Final = "postgresql+psycopg"

CONNECTION: Final = {
    "application_name": "neurofuse",
    "connect_timeout": "10",
    # A server that is gone without a word is noticed within a minute, not after the two hours of TCP's default.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""Parameters of libpq, where the URL does not say otherwise."""

SESSION: Final = {
    # The same from the server's side: a machine that is gone holds no lock of ours for longer.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "60s",
}
LOCK_TIMEOUT: Final = "10s"
"""As for SQLite (`app.records.sqlite`): who needs what somebody else holds, such as a table that an administrator alters, is told so, and holds no
connection and no end of the process meanwhile."""


def postgresql_engine(url: str, connections: int) -> Engine:
    """Connect lazily to a server; a connection that a restart of the server broke is replaced before it is used.

    Args:
        url: `postgresql://user@host:port/name`, with any parameter of libpq.
        connections: Most connections of this process.

    Returns:
        An engine in whose representations and errors the password does not occur; where the database is in another encoding than UTF-8,
        connecting raises NotReadyError.

    Raises:
        NotReadyError: The extra `postgres` is not installed, or the URL is none.
    """
    parsed = _parsed(url)
    try:
        engine = create_engine(
            parsed.set(drivername=DRIVER, query=CONNECTION | dict(parsed.query)),
            poolclass=Connections,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,
            hide_parameters=True,
            # Whatever the database's own default: whoever waits for a lock then sees what was done before, and is not refused for it.
            isolation_level="READ COMMITTED",
            # No statement stays in the session: a pooler such as PgBouncer may give the next transaction another one.
            # Here they would save nothing that can be measured.
            connect_args={"prepare_threshold": None},
        )
    except ModuleNotFoundError as error:
        raise NotReadyError(
            "Expected psycopg for NEUROFUSE_DATABASE_URL; it is not installed. In a clone: pip install -e '.[postgres]'"
        ) from error
    # Before SQLAlchemy's own, which does not understand what a database without an encoding says.
    event.listen(engine, "connect", _require_utf8, insert=True)
    event.listen(engine, "connect", _prepare_connection)
    return engine


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # its words may hold the password
        raise NotReadyError(NO_ADDRESS) from None


def _require_utf8(connection: "psycopg.Connection", _record: object) -> None:
    found = connection.info.parameter_status("server_encoding")
    # Another one has no place for every letter of a case number; a pooler may not say.
    if found not in ("UTF8", None):
        raise NotReadyError(
            f"Expected NEUROFUSE_DATABASE_URL to name a database in UTF8; it is in {found}. Make another one: "
            "createdb --template template0 --encoding UTF8 --locale C --owner ROLE NAME."
        )


def _prepare_connection(connection: "psycopg.Connection", _record: object) -> None:
    with connection.cursor() as cursor:
        for name, value in SESSION.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
        # 0 is for ever, and PostgreSQL's default: another time is the operator's.
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false) WHERE current_setting('lock_timeout') = '0'",
            (LOCK_TIMEOUT,),
        )
    connection.commit()
