"""`neurofuse models`: lists and tests the packages of the store here, or moves those of a running service."""

import argparse
from contextlib import closing
from typing import Any, Final
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from app.administration.client import ServiceClient, ServiceProblemError
from app.administration.tables import alias_table, package_table
from app.administration.verbs import add_verb
from app.errors import MalformedRequestError
from app.model_package.store import store_at
from app.predictions.catalogue import Catalogue
from app.predictions.entry import State
from app.predictions.start import starter_alone
from app.settings import Settings

OK: Final = 0
FAILED: Final = 1
REFUSED: Final = 2
ADMIN: Final = "/admin/models"
EXAMPLES: Final = """examples:
  neurofuse models

Of a running service, with its token in NEUROFUSE_ADMIN_TOKEN or an admin's key in NEUROFUSE_API_KEY:
  neurofuse models list --server https://neurofuse.example
  neurofuse models load gos@3
  neurofuse models alias gos@production 2
  neurofuse models shadow gos@production 3
  neurofuse models canary gos@production 3 --share 0.1
  neurofuse models alias gos@production 3
  neurofuse models rollback gos@production
  neurofuse models unload gos@1"""


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse names this type in private
    """Adds the command to the parser's."""
    models = commands.add_parser(
        "models",
        help="list the packages and test each; move those of a running service",
        description="Without a verb: lists the packages of the store here and tests each.",
        epilog=EXAMPLES,
    )
    models.set_defaults(run=_list_here)
    verbs = models.add_subparsers(metavar="VERB")
    _verb(verbs, "list", "list the packages and aliases of a running service", _list)
    load = _verb(verbs, "load", "serve a version that lies in its store", _load)
    unload = _verb(verbs, "unload", "serve a version no longer", _unload)
    for parser in (load, unload):
        parser.add_argument("package", metavar="NAME@VERSION", help="of a package in the service's store")
    alias = _verb(verbs, "alias", "point an alias to a version; its canary and its shadow end", _alias)
    canary = _verb(verbs, "canary", "give a share of an alias's cases to another version", _canary)
    canary.add_argument(
        "--share", type=float, help="of the cases, above 0 and below 1; the same case always gets the same"
    )
    shadow = _verb(verbs, "shadow", "compare another version in the background", _shadow)
    rollback = _verb(
        verbs, "rollback", "end an alias's canary, else go back to its version before", _rollback
    )
    for parser in (alias, canary, shadow, rollback):
        parser.add_argument("alias", metavar="NAME@ALIAS", help="of a package and a name of yours")
    for parser in (alias, canary, shadow):
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("version", nargs="?", type=int, metavar="VERSION", help="of the package")
        what.add_argument("--end", action="store_true", help="have none any longer")


def _verb(verbs: Any, name: str, words: str, act: object) -> argparse.ArgumentParser:  # noqa: ANN401 - as above
    parser = add_verb(verbs, name, words, EXAMPLES, _run)
    parser.add_argument(
        "--server", metavar="URL", help="of the service; NEUROFUSE_HOST and NEUROFUSE_PORT by default"
    )
    parser.set_defaults(act=act)
    return parser


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    token = (settings.admin_token or settings.api_key).get_secret_value()
    client = ServiceClient(arguments.server or own_address(settings), token)
    try:
        arguments.act(arguments, client)
        _print_list(client)
    except ServiceProblemError as problem:
        Console(stderr=True, soft_wrap=True).print(str(problem), markup=False, highlight=False)
        return REFUSED if 400 <= problem.status < 500 else FAILED  # noqa: PLR2004 - RFC 9110, section 15.5
    return OK


def own_address(settings: Settings) -> str:
    """Of the service here. One that listens on every address is asked on loopback: by the name 0.0.0.0 nobody calls it (NEUROFUSE_HOSTS)."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound  # nosec B104
    scheme = "https" if settings.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _list(_arguments: argparse.Namespace, client: ServiceClient) -> None:
    """The list is printed after every verb."""


def _load(arguments: argparse.Namespace, client: ServiceClient) -> None:
    name, version = _package(arguments.package)
    client.ask("POST", f"{ADMIN}/{name}/{version}/load")


def _unload(arguments: argparse.Namespace, client: ServiceClient) -> None:
    name, version = _package(arguments.package)
    client.ask("POST", f"{ADMIN}/{name}/{version}/unload")


def _alias(arguments: argparse.Namespace, client: ServiceClient) -> None:
    path = _alias_path(arguments.alias)
    if arguments.end:
        client.ask("DELETE", path)
    else:
        client.ask("PUT", path, {"version": arguments.version})


def _canary(arguments: argparse.Namespace, client: ServiceClient) -> None:
    if not arguments.end and arguments.share is None:
        raise MalformedRequestError("Expected --share beside the version of a canary.")
    canary = None if arguments.end else {"version": arguments.version, "share": arguments.share}
    client.ask("PATCH", _alias_path(arguments.alias), {"canary": canary})


def _shadow(arguments: argparse.Namespace, client: ServiceClient) -> None:
    shadow = None if arguments.end else arguments.version
    client.ask("PATCH", _alias_path(arguments.alias), {"shadow": shadow})


def _rollback(arguments: argparse.Namespace, client: ServiceClient) -> None:
    client.ask("POST", f"{_alias_path(arguments.alias)}/rollback")


def _print_list(client: ServiceClient) -> None:
    known = client.ask("GET", ADMIN)
    console = Console()
    console.print(package_table(known["models"], known["aliases"]), markup=False)
    if known["aliases"]:
        console.print(alias_table(known["aliases"]), markup=False)


def _package(text: str) -> tuple[str, int]:
    name, _, version = text.partition("@")
    if not version.isdecimal():
        raise MalformedRequestError("Expected a package as NAME@VERSION, such as gos@3.")
    return quote(name, safe=""), int(version)


def _alias_path(text: str) -> str:
    name, _, alias = text.partition("@")
    if not alias or alias.isdecimal():
        raise MalformedRequestError("Expected an alias as NAME@ALIAS, such as gos@production.")
    return f"{ADMIN}/{quote(name, safe='')}/aliases/{quote(alias, safe='')}"


def _list_here(_arguments: argparse.Namespace, settings: Settings) -> int:
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
