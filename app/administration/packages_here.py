"""`neurofuse models`: lists and tests the packages of the store here."""

import argparse
from contextlib import closing

from rich.console import Console
from rich.table import Table

from app.exit_status import FAILED, OK
from app.model_package.store import store_at
from app.serving.catalogue import Catalogue
from app.serving.entry import State
from app.serving.start import starter_alone
from app.settings import Settings


def list_packages(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Lists the packages of the store here and tests each."""
    store = store_at(settings.model_store)
    with closing(Catalogue(store, starter_alone(settings))) as catalogue:
        catalogue.load()
        table = Table("package", "task", "title", "state", "reason")
        for entry in catalogue.entries():
            manifest = entry.manifest
            reason = f"{entry.code}: {entry.detail}" if entry.state is State.FAILED else ""
            task, title = (manifest.task, manifest.title) if manifest else ("", "")
            table.add_row(str(entry.reference), task, title, entry.state, reason)
        Console().print(table, markup=False)
        return OK if catalogue.ready else FAILED
