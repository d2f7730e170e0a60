"""`neurofuse keys`: makes, lists and takes back the API keys of the database here; needs no running service."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Column, Table

from app.administration.records_here import missing_database, records_here
from app.data_folder.layout import DataFolder
from app.errors import MalformedRequestError
from app.exit_status import OK
from app.records.api_keys import KeptKey
from app.records.audit import Deed
from app.records.store import RecordStore
from app.security.keys import make_key
from app.settings import Settings

HERE: Final = "command-line"
"""In the audit trail: whoever may run commands on the service's machine."""
MOST_DAYS: Final = 730.0
"""No key is for ever: whoever forgot one is not open to it for ever."""
LONGEST_NAME: Final = 100


def create(arguments: argparse.Namespace, settings: Settings) -> int:
    """Makes a key and prints it."""
    if not 0 < arguments.days <= MOST_DAYS:
        raise MalformedRequestError(f"Expected --days above 0 and at most {MOST_DAYS:g}.")
    if not 0 < len(arguments.name) <= LONGEST_NAME or not arguments.name.isprintable():
        raise MalformedRequestError(f"Expected a name of 1 to {LONGEST_NAME} printable characters.")
    kept, key = make_key(arguments.name, set(arguments.role), arguments.days, datetime.now(UTC))
    made = missing_database(settings)
    with _opened(settings) as records:
        records.api_keys.add(kept)
        records.audit.add(Deed(HERE, "service", "keys create", kept.id))
    sys.stdout.write(f"{key}\n")  # alone, so that it can go straight into a file
    said = f"{kept.id}: {', '.join(kept.roles)}, until {kept.expires:%Y-%m-%d}. The key is shown this once."
    if made is not None:
        said += f" {made.parent} held no database and has one now: start the service with NEUROFUSE_DATA={made.parent}."
    Console(stderr=True, soft_wrap=True).print(said, markup=False, highlight=False)
    return OK


def list_all(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Lists every key, without its secret."""
    with records_here(settings) as records:
        keys = records.api_keys.all()
    columns = (Column("id", no_wrap=True), "name", "roles", Column("state", no_wrap=True), "last used")
    table = Table(*columns, title="UTC")
    for key in keys:
        last = f"{key.last_used:%Y-%m-%d %H:%M}" if key.last_used else "never"
        table.add_row(key.id, key.name, ", ".join(key.roles), _state(key), last)
    Console().print(table, markup=False)
    return OK


def revoke(arguments: argparse.Namespace, settings: Settings) -> int:
    """Takes a key back."""
    with records_here(settings) as records:
        if not records.api_keys.revoke(arguments.id, datetime.now(UTC)):
            raise MalformedRequestError(
                "Expected the id of a key that is not revoked; see `neurofuse keys list`."
            )
        records.audit.add(Deed(HERE, "service", "keys revoke", arguments.id))
    Console().print(f"{arguments.id}: revoked", highlight=False)
    return OK


def _state(key: KeptKey) -> str:
    if key.revoked:
        return f"revoked {key.revoked:%Y-%m-%d}"
    return f"{'good until' if key.is_good(datetime.now(UTC)) else 'expired'} {key.expires:%Y-%m-%d}"


@contextmanager
def _opened(settings: Settings) -> Iterator[RecordStore]:
    """The database that the settings name, made where there is none: the first key comes before the first start."""
    folder = DataFolder(settings.data)
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(RecordStore(settings.database_url.get_secret_value() or folder.database)) as records:
        yield records
