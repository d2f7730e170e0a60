"""`neurofuse models VERB`: moves the packages of a running service."""

import argparse
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from rich.console import Console

from app.administration.client import ServiceClient, ServiceProblemError
from app.administration.tables import alias_table, package_table
from app.errors import MalformedRequestError
from app.exit_status import FAILED, OK, REFUSED
from app.settings import Settings

ADMIN: Final = "/admin/models"


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Asks the service, and prints its list."""
    token = (settings.admin_token or settings.api_key).get_secret_value()
    client = ServiceClient(arguments.server or own_address(settings), token)
    try:
        ACTS[arguments.act](arguments, client)
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


ACTS: Final[Mapping[str, Callable[[argparse.Namespace, ServiceClient], None]]] = {
    "list": _list,
    "load": _load,
    "unload": _unload,
    "alias": _alias,
    "canary": _canary,
    "shadow": _shadow,
    "rollback": _rollback,
}
"""By the verb."""


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
