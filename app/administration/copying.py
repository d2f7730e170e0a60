"""`neurofuse copy-records`: the answers of the SQLite file, taken into PostgreSQL."""

import argparse
from contextlib import nullcontext

from rich.console import Console

from app.data_folder.layout import DataFolder
from app.errors import MalformedRequestError
from app.exit_status import OK
from app.records.copying import copy_records
from app.settings import Settings


def copy(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Fills an empty database."""
    url = settings.database_url.get_secret_value()
    if not url:
        raise MalformedRequestError(
            "Expected NEUROFUSE_DATABASE_URL to name the database to fill; it is empty."
        )
    folder = DataFolder(settings.data)
    # Of a service that works there, all that it writes from now on would be left behind.
    with folder.held() if folder.lock.exists() else nullcontext():
        copied = copy_records(folder.database, url)
    for name, rows in copied.items():
        Console().print(f"{name}: {rows}", highlight=False)
    return OK
