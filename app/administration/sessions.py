"""`neurofuse sessions`: shows who is signed in on the page, and signs people out; needs no running service."""

import argparse

from rich.console import Console
from rich.table import Column, Table

from app.administration.keys import HERE
from app.administration.records_here import records_here
from app.errors import MalformedRequestError
from app.exit_status import OK
from app.records.audit import Deed
from app.settings import Settings


def list_all(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Lists every session, the latest first."""
    with records_here(settings) as records:
        sessions = records.sessions.all()
    table = Table(Column("subject", no_wrap=True), "name", "roles", "signed in", "last used", title="UTC")
    for each in sessions:
        moments = (f"{moment:%Y-%m-%d %H:%M}" for moment in (each.created, each.seen))
        table.add_row(each.subject, each.name, each.roles, *moments)
    Console().print(table, markup=False)
    return OK


def end(arguments: argparse.Namespace, settings: Settings) -> int:
    """Signs somebody out everywhere."""
    with records_here(settings) as records:
        ended = records.sessions.delete_of(arguments.subject)
        if not ended:
            raise MalformedRequestError(
                "Expected the subject of somebody who is signed in; see `neurofuse sessions list`."
            )
        records.audit.add(Deed(HERE, "service", "sessions end", arguments.subject))
    Console().print(f"{arguments.subject}: {ended} ended", highlight=False, markup=False)
    return OK
