"""An OpenID provider that takes requests and does not answer: who asked it waits, for a while, and nobody else does."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.api.sign_in import ASKING
from tests.service.access_table import OWN_PAGE, TOKENS, headers_of_callers
from tests.service.server import Server, serving
from tests.support.hanging import Hanging
from tests.support.oidc import Provider, running
from tests.support.waiting import LONGEST_S

MANY = 48
"""More than all threads of the service."""
ROUNDS = 8
FOR_LONG = {
    "app.security.provider.WITHIN_S": LONGEST_S,
    "app.security.provider.PATIENCE_S": LONGEST_S,
    "app.security.sign_in.TIMEOUT_S": LONGEST_S,
}
"""Whoever waits goes on waiting while others are served, however long that takes here; whoever waited behind them would not be served."""

Headers = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.fixture
def door(gos_store: Path, provider: Provider, tmp_path: Path) -> Iterator[tuple[Server, Headers]]:
    """A service that has asked the provider nothing yet, and what each kind of caller shows it."""
    data = tmp_path / "var"
    chosen: dict[str, Any] = {"oidc_issuer": provider.issuer, "oidc_client_id": provider.client_id}
    chosen |= {name.replace(" ", "_"): token.get_secret_value() for name, token in TOKENS.items()}
    with serving(gos_store, data, authentication="on", constants=FOR_LONG, **chosen) as server:
        server.client.timeout = httpx.Timeout(LONGEST_S / 2)  # over before the time of those who wait
        yield server, headers_of_callers(data, provider.token(sub="nora", roles=["clinician"]))


@contextmanager
def sent(server: Server, path: str, headers: dict[str, str], times: int) -> Iterator[list[HTTPConnection]]:
    """Requests that are on their way; nobody waits for their answers yet."""
    with ExitStack() as stack:
        connections = [HTTPConnection("127.0.0.1", server.client.base_url.port) for _ in range(times)]
        for connection in connections:
            stack.callback(connection.close)
            connection.request("GET", path, headers=headers)
        yield connections


def all_served(server: Server, headers: Headers) -> bool:
    """Whether those are answered who ask nothing of the provider; often, as the first overtake what was sent before them."""
    asked = [("/predictions", "system"), ("/metrics", "ops"), ("/metrics", "metrics token")] * ROUNDS
    return all(server.client.get(path, headers=headers[who]).is_success for path, who in asked)


def test_nobody_notices_that_tokens_and_those_who_sign_in_wait(
    door: tuple[Server, Headers], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, headers = door
    hanging = Hanging(provider.configuration())
    monkeypatch.setattr(provider, "configuration", hanging)
    token = headers["no role"]
    with sent(server, "/auth/sign-in", {}, 1) as (left,):
        hanging.wait_until_asked()
        with (
            sent(server, "/predictions", token, 1 + MANY) as (shown, *_),
            sent(server, "/auth/sign-in", {}, MANY),
        ):
            assert all_served(server, headers)
            hanging.go_on.set()
            # Those who wait have their answer after all.
            assert shown.getresponse().status == httpx.codes.OK
            assert str(left.getresponse().headers["Location"]).startswith(f"{provider.issuer}/authorize?")


def test_few_wait_for_the_answer_to_a_code_and_signing_out_works_meanwhile(
    door: tuple[Server, Headers], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, headers = door
    leaving = httpx.get(f"{server.client.base_url}/auth/sign-in", timeout=LONGEST_S)
    (state,) = parse_qs(urlsplit(leaving.headers["Location"]).query)["state"]
    back = f"/auth/callback?code=1&state={state}&iss={provider.issuer}"
    hanging = Hanging({})
    monkeypatch.setattr(provider, "exchange", hanging)
    cookie = {"Cookie": leaving.headers["Set-Cookie"].split(";")[0]}
    with sent(server, back, cookie, MANY) as coming:
        hanging.wait_until_asked(ASKING)
        assert all_served(server, headers)
        assert not hanging.is_asked_more()
        left = server.client.post("/auth/sign-out", headers=OWN_PAGE)
        assert (left.status_code, left.json()) == (200, {"next": None})
        hanging.go_on.set()
        told = Counter(each.getresponse().headers["Location"] for each in coming)
    # Whoever found no room was told at once, and those who waited had their answer: one without a token.
    assert told["/#/sign-in/sign-in-failed"] >= ASKING
    assert told.keys() == {"/#/sign-in/sign-in-failed", "/#/sign-in/provider-unavailable"}
