"""Tries every route with every kind of caller on a running service, and writes what came of it.

`python -m tests.service.access_table` writes docs/reference/access.md anew.
"""

import argparse
import itertools
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import SecretStr

from app.api.access import ACCESS
from app.records.store import RecordStore
from app.security.keys import make_key
from app.security.principal import ROLES, Role
from tests.service.server import Server, serving
from tests.support.oidc import Provider, running
from tests.support.tiny_package import build_tiny_package

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reference" / "access.md"
MARKER: Final = "<!-- below this line: written by `python -m tests.service.access_table` -->"
CALLERS: Final = ("nobody", "bad key", "no role", *ROLES, "admin token", "metrics token")
TOKEN_ROLES: Final = {"admin token": {"admin", "ops"}, "metrics token": {"ops"}}
SAMPLES: Final = {"name": "no-such", "version": "9", "alias": "trial", "code": "not-found"}
"""What stands in for the parts of a path: things that are not there, so that trying a route changes nothing."""
OWN_PAGE: Final = {"Sec-Fetch-Site": "same-origin"}
PASSES: Final = "yes"

TOKENS: Final = {name: SecretStr(secrets.token_urlsafe()) for name in TOKEN_ROLES}

Table = dict[str, dict[str, str]]
"""By route and caller: `yes` where the route itself answered, else the status with which the door did."""


def headers_of_callers(data: Path, provider_token: str) -> dict[str, dict[str, str]]:
    """Credentials: a key for each role, one that was never made, and a good token of the provider without any role."""
    with closing(RecordStore(data / "records.sqlite3")) as records:
        keys = {role: _key(records, role) for role in ROLES}
    good = keys["clinician"]
    bad = good[:-4] + ("0000" if good[-4:] != "0000" else "1111")
    tokens = {name: token.get_secret_value() for name, token in TOKENS.items()}
    shown = {"bad key": bad, "no role": provider_token, **keys, **tokens}
    return {"nobody": {}} | {who: {"Authorization": f"Bearer {shown[who]}"} for who in CALLERS[1:]}


def _key(records: RecordStore, role: Role) -> str:
    kept, key = make_key(f"of a test: {role}", {role}, 1, datetime.now(UTC))
    records.api_keys.add(kept)
    return key


@contextmanager
def guarded(
    store: Path, data: Path, provider: Provider, **settings: Any
) -> Iterator[tuple[Server, dict[str, dict[str, str]]]]:
    """A service that asks everybody, with an OpenID provider, and what callers show it."""
    chosen: dict[str, Any] = {
        "authentication": "on",
        "oidc_issuer": provider.issuer,
        "oidc_client_id": provider.client_id,
        # Each request may come from another address: the bound on refusals of one is another test's.
        "trusted_proxies": "127.0.0.1",
        "requests_per_minute": 0,
        "admin_token": TOKENS["admin token"].get_secret_value(),
        "metrics_token": TOKENS["metrics token"].get_secret_value(),
    }
    with serving(store, data, **chosen | settings) as server:
        yield server, headers_of_callers(data, provider.token(sub="nora", roles=[]))


def tried(client: httpx.Client, headers: Mapping[str, Mapping[str, str]]) -> Table:
    """The outcome of every route and caller."""
    address = (f"10.0.{number // 250}.{1 + number % 250}" for number in itertools.count())
    return {
        route: {
            caller: _outcome(client, route, {**headers[caller], **OWN_PAGE, "X-Forwarded-For": next(address)})
            for caller in CALLERS
        }
        for route in ACCESS
    }


def _outcome(client: httpx.Client, route: str, headers: Mapping[str, str]) -> str:
    method, template = route.split()
    path = re.sub(
        r"{(\w+)}", lambda part: SAMPLES.get(part[1], "01a2222e-39d8-72f8-acc6-a852b5c1106a"), template
    )
    response = client.request(method, path, headers=headers)
    assert response.status_code < 500, (route, response.text)
    assert response.headers["Cache-Control"], route
    return str(response.status_code) if response.status_code in (401, 403, 429) else PASSES


def expected(route: str, caller: str) -> str:
    """What the table of the code says of a route and a caller."""
    access = ACCESS[route]
    if isinstance(access, str):
        return PASSES
    if caller in ("nobody", "bad key"):
        return "401"
    return PASSES if access & TOKEN_ROLES.get(caller, {caller}) else "403"


def as_document(table: Table) -> str:
    """The table in Markdown."""
    head = f"| Route | {' | '.join(CALLERS)} |\n|---|{'---|' * len(CALLERS)}\n"
    rows = (
        f"| `{route}` | {' | '.join(outcome[caller] for caller in CALLERS)} |"
        for route, outcome in table.items()
    )
    return head + "\n".join(rows) + "\n"


def written() -> str:
    """The table as it stands in the document."""
    return DOCUMENT.read_text(encoding="utf-8").partition(f"{MARKER}\n\n")[2]


def main() -> None:
    """Write the document."""
    argparse.ArgumentParser(prog="python -m tests.service.access_table", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "store"
        build_tiny_package(store, "gos", version=1)
        with running() as provider, guarded(store, Path(name) / "var", provider) as (server, headers):
            table = as_document(tried(server.client, headers))
    prose = DOCUMENT.read_text(encoding="utf-8").partition(MARKER)[0]
    DOCUMENT.write_text(f"{prose}{MARKER}\n\n{table}", encoding="utf-8")


if __name__ == "__main__":
    main()
