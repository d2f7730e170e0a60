"""`neurofuse sessions`: shows who is signed in on the page, and signs people out; needs no running service."""

import argparse
from typing import Any, Final

from rich.console import Console
from rich.table import Column, Table

from app.administration.keys import HERE
from app.administration.records_here import OF_THE_DATABASE, records_here
from app.administration.verbs import add_verb
from app.errors import MalformedRequestError
from app.records.audit import Deed
from app.settings import Settings

OK: Final = 0
EXAMPLES: Final = """examples:
  neurofuse sessions list
  neurofuse sessions end oidc:5f1d3c0c1b2e87559a64d03f9a64d0c1"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    sessions = commands.add_parser(
        "sessions",
        help="show who is signed in on the page, and sign people out",
        epilog=EXAMPLES,
        description=OF_THE_DATABASE,
    )
    verbs = sessions.add_subparsers(required=True, metavar="VERB")
    add_verb(verbs, "list", "list every session, the latest first", EXAMPLES, _list)
    end = add_verb(verbs, "end", "sign somebody out everywhere, at once", EXAMPLES, _end)
    end.add_argument(
        "subject", metavar="SUBJECT", help="as `neurofuse sessions list` and the audit trail show it"
    )


def _list(_arguments: argparse.Namespace, settings: Settings) -> int:
    with records_here(settings) as records:
        sessions = records.sessions.all()
    table = Table(Column("subject", no_wrap=True), "name", "roles", "signed in", "last used", title="UTC")
    for each in sessions:
        moments = (f"{moment:%Y-%m-%d %H:%M}" for moment in (each.created, each.seen))
        table.add_row(each.subject, each.name, each.roles, *moments)
    Console().print(table, markup=False)
    return OK


def _end(arguments: argparse.Namespace, settings: Settings) -> int:
    with records_here(settings) as records:
        ended = records.sessions.delete_of(arguments.subject)
        if not ended:
            raise MalformedRequestError(
                "Expected the subject of somebody who is signed in; see `neurofuse sessions list`."
            )
        records.audit.add(Deed(HERE, "service", "sessions end", arguments.subject))
    Console().print(f"{arguments.subject}: {ended} ended", highlight=False, markup=False)
    return OK
