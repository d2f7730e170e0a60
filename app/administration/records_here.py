"""The database of the service here, for commands that need no running service."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.errors import MalformedRequestError
from app.predictions.data_folder import DataFolder
from app.records.store import RecordStore
from app.settings import Settings


@contextmanager
def records_here(settings: Settings) -> Iterator[RecordStore]:
    """The records, open while the block runs.

    Raises:
        MalformedRequestError: The data folder holds no database; none is made.
    """
    missing = missing_database(settings)
    if missing is not None:
        raise MalformedRequestError(
            f"Expected NEUROFUSE_DATA to be the data folder of a service; {missing.parent} holds no database. Set it as that service has it."
        )
    database = settings.database_url.get_secret_value() or DataFolder(settings.data).database
    with closing(RecordStore(database, settings.database_connections)) as records:
        yield records


def missing_database(settings: Settings) -> Path | None:
    """The absolute path at which the settings expect a database file and there is none; None where there is one, or a server holds it."""
    path = DataFolder(settings.data).database.resolve()
    return None if settings.database_url.get_secret_value() or path.exists() else path
