"""An OpenID provider of the tests' own: real RSA keys, real HTTP on loopback, people who need no password.

It is strict where ours could be careless: a code is good once, PKCE and the redirect address must fit, the client must
show its secret. `python -m tests.support.oidc PORT CLIENT_ID REDIRECT_URI` runs one for tests that are not in Python.
"""

import base64
import hashlib
import html
import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID: Final = "neurofuse-page"
CODE_S: Final = 60.0
TOKEN_S: Final = 3600.0

PEOPLE: Final[dict[str, dict[str, Any]]] = {
    "clara": {"name": "Clara Clinician", "roles": ["clinician"]},
    "olga": {"name": "Olga Ops", "roles": ["ops"]},
    "adam": {"name": "Adam Admin", "roles": ["clinician", "admin"]},
    "nora": {"name": "Nora Nobody", "roles": []},
}
"""Who can sign in, and with which claims."""

Claims = dict[str, Any]


@dataclass
class Provider:
    """A running provider.

    Attributes:
        issuer: Its address, and its name in tokens.
        client_id: The client that it knows.
        client_secret: What that client must show; empty for a public one.
        redirect_uris: Where it sends people back to; None for anywhere.
        change: Applied to the claims of every ID token: how a test makes a bad one.
        key_fetches: How often its keys were asked for.
        algorithm: What it signs with.
        names_algorithm: Whether it says so beside its keys, as it need not.
    """

    issuer: str
    client_id: str = CLIENT_ID
    client_secret: str = ""
    redirect_uris: frozenset[str] | None = None
    change: Callable[[Claims], Claims] = field(default=lambda claims: claims)
    key_fetches: int = 0
    algorithm: str = "RS256"
    names_algorithm: bool = True
    _codes: dict[str, tuple[float, dict[str, str]]] = field(default_factory=dict)
    _keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rotate_keys()

    def rotate_keys(self) -> None:
        """Sign with a new key from now on; the old one is no longer published."""
        self._keys = {secrets.token_hex(4): rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def token(self, audience: str | None = None, **claims: Any) -> str:
        """A signed token, valid unless the claims say otherwise; a claim of None is left out."""
        now = time.time()
        base = {
            "iss": self.issuer, "aud": audience or self.client_id, "sub": "clara", "iat": now, "exp": now + TOKEN_S,
        }  # fmt: skip
        (key_id, key), *_ = self._keys.items()
        payload = {name: value for name, value in (base | claims).items() if value is not None}
        return jwt.encode(payload, key, algorithm=self.algorithm, headers={"kid": key_id})

    def configuration(self) -> Claims:
        """OpenID Connect Discovery 1.0, section 3."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end-session",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def keys(self) -> Claims:
        """The published half of its keys (RFC 7517)."""
        self.key_fetches += 1
        named = {"alg": self.algorithm} if self.names_algorithm else {}
        return {
            "keys": [
                RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id, "use": "sig"} | named
                for key_id, key in self._keys.items()
            ]
        }

    def authorize(self, asked: dict[str, str], person: str) -> str:
        """Where the browser of a person who has signed in goes next.

        Raises:
            ValueError: The client is not known here, or asks for what this provider does not do.
        """
        back = asked["redirect_uri"]
        known = self.redirect_uris is None or back in self.redirect_uris
        sound = asked.get("response_type") == "code" and asked.get("code_challenge_method") == "S256"
        if asked.get("client_id") != self.client_id or not known or not sound:
            raise ValueError("unknown client, unknown redirect address, or no PKCE")
        if person == "deny":
            return (
                f"{back}?{urlencode({'error': 'access_denied', 'state': asked['state'], 'iss': self.issuer})}"
            )
        code = secrets.token_urlsafe()
        self._codes[code] = time.time() + CODE_S, asked | {"person": person}
        return f"{back}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def exchange(self, sent: dict[str, str], authorization: str) -> Claims:
        """The tokens for a code.

        Raises:
            ValueError: The code, the verifier, the address or the client is not the right one.
        """
        until, asked = self._codes.pop(sent.get("code", ""), (0.0, {}))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        fits = {
            "code": time.time() < until,
            "verifier": challenge.rstrip(b"=").decode() == asked.get("code_challenge"),
            "address": sent.get("redirect_uri") == asked.get("redirect_uri"),
            "client": self._is_client(sent, authorization),
        }
        if not all(fits.values()):
            raise ValueError(f"does not fit: {[name for name, fit in fits.items() if not fit]}")
        claims = {"sub": asked["person"], "nonce": asked.get("nonce"), **PEOPLE[asked["person"]]}
        id_token = self.token(**self.change(claims))
        return {"id_token": id_token, "access_token": secrets.token_urlsafe(), "token_type": "Bearer"}

    def _is_client(self, sent: dict[str, str], authorization: str) -> bool:
        if not self.client_secret:
            return sent.get("client_id") == self.client_id
        shown = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        return tuple(map(unquote, shown.split(":", 1))) == (self.client_id, self.client_secret)


class _Server(ThreadingHTTPServer):
    provider: Provider


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        documents = {
            "/.well-known/openid-configuration": self.server.provider.configuration,
            "/keys": self.server.provider.keys,
        }
        if url.path in documents:
            self._answer(HTTPStatus.OK, json.dumps(documents[url.path]()), "application/json")
        elif url.path == "/authorize" and "person" in asked:
            self._leave(asked)
        elif url.path == "/authorize":
            self._answer(HTTPStatus.OK, _choice(asked), "text/html")
        elif url.path == "/end-session":
            self._redirect(asked.get("post_logout_redirect_uri", "/"))
        else:
            self._answer(HTTPStatus.NOT_FOUND, "", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        try:
            tokens = self.server.provider.exchange(sent, self.headers.get("Authorization", ""))
            self._answer(HTTPStatus.OK, json.dumps(tokens), "application/json")
        except ValueError as error:
            refusal = json.dumps({"error": "invalid_grant", "error_description": str(error)})
            self._answer(HTTPStatus.BAD_REQUEST, refusal, "application/json")

    def _leave(self, asked: dict[str, str]) -> None:
        try:
            self._redirect(self.server.provider.authorize(asked, asked.pop("person")))
        except ValueError as error:
            self._answer(HTTPStatus.BAD_REQUEST, str(error), "text/plain")

    def _redirect(self, place: str) -> None:
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, status: HTTPStatus, text: str, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_args: object) -> None:
        """Say nothing: the addresses hold codes."""


def _choice(asked: dict[str, str]) -> str:
    """The page on which a person says who they are."""
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    buttons = "".join(f'<button name="person" value="{who}">{who}</button>' for who in [*PEOPLE, "deny"])
    icon = '<link rel="icon" href="data:,">'  # else a browser asks for one, and notes that there is none
    return f"<!doctype html><title>Provider</title>{icon}<form>{hidden}{buttons}</form>"


@contextmanager
def running(port: int = 0, host: str = "127.0.0.1", **known: Any) -> Iterator[Provider]:
    """A provider on a port of loopback, a free one by default.

    Args:
        port: Where it listens.
        host: The name in its address; `localhost` makes it another site than 127.0.0.1.
        **known: Attributes of `Provider`.
    """
    server = _Server(("127.0.0.1", port), _Handler)
    provider = server.provider = Provider(f"http://{host}:{server.server_port}", **known)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider with a client that has no secret."""
    with running() as one:
        yield one


if __name__ == "__main__":
    port, client_id, redirect_uri = sys.argv[1:]
    with running(int(port), "localhost", client_id=client_id, redirect_uris=frozenset({redirect_uri})):
        threading.Event().wait()
