"""The database of the service here, for commands that need no running service."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from app.errors import MalformedRequestError
from app.predictions.data_folder import DataFolder
from app.records.store import RecordStore
from app.settings import Settings

OF_THE_DATABASE: Final = """Works on the database that NEUROFUSE_DATABASE_URL or NEUROFUSE_DATA names, whether a service runs on it or not."""


@contextmanager
def records_here(settings: Settings) -> Iterator[RecordStore]:
    """The records, open while the block runs.

    Raises:
        MalformedRequestError: The data folder holds no database; none is made.
    """
    database = settings.database_url.get_secret_value() or DataFolder(settings.data).database
    if isinstance(database, Path) and not database.exists():
        raise MalformedRequestError(
            "Expected the data folder of a service; NEUROFUSE_DATA names one without a database."
        )
    with closing(RecordStore(database, settings.database_connections)) as records:
        yield records
