"""The database of the service here, for commands that need no running service."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.data_folder.layout import DataFolder
from app.errors import MalformedRequestError
from app.records.faults import unavailable
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


@contextmanager
def evidence_here(settings: Settings) -> Iterator[RecordStore]:
    """The same; where the file or its folder cannot be written to, as an auditor's may be, a copy of it while the block runs, and nothing is changed there.

    Raises:
        MalformedRequestError: The data folder holds no database.
        StorageUnavailableError: The file cannot be read, or is no database.
    """
    database = DataFolder(settings.data).database.resolve()
    is_file = database.exists() and not settings.database_url.get_secret_value()
    if not is_file or all(os.access(each, os.W_OK) for each in (database, database.parent)):
        with records_here(settings) as records:
            yield records
        return
    with TemporaryDirectory() as folder:
        copied = DataFolder(Path(folder)).database
        _copy(database, copied)
        with closing(RecordStore(copied)) as records:
            yield records


def _copy(database: Path, to: Path) -> None:
    """As of one moment, of a database in use too; whoever uses it keeps an index beside its log (https://www.sqlite.org/wal.html#readonly)."""
    try:
        if not all(Path(f"{database}{end}").exists() for end in ("-wal", "-shm")):
            for end in ("", "-wal"):
                if (file := Path(f"{database}{end}")).exists():
                    shutil.copyfile(file, f"{to}{end}")
            return
        with (
            closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(to)) as target,
        ):
            source.backup(target)
    except (OSError, sqlite3.Error) as error:
        raise unavailable(error) from None


def missing_database(settings: Settings) -> Path | None:
    """The absolute path at which the settings expect a database file and there is none; None where there is one, or a server holds it."""
    path = DataFolder(settings.data).database.resolve()
    return None if settings.database_url.get_secret_value() or path.exists() else path
