"""The OpenID provider's documents: its configuration and its keys, fetched when they are needed and kept for a while."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jwt
from jwt.algorithms import AllowedPublicKeys

from app.errors import ProviderUnavailableError
from app.setting_values import is_loopback

CONFIGURATION: Final = "/.well-known/openid-configuration"
WITHIN_S: Final = 5.0
LARGEST_BYTES: Final = 2**20
FRESH_S: Final = 3600.0
"""How long a document is used before it is fetched anew."""
USABLE_S: Final = 24 * 3600.0
"""How long it still serves where the provider does not answer: an outage there is none here."""
PAUSE_S: Final = 10.0
"""Between two fetches, whatever is asked: tokens with invented key ids must not make this service a hammer."""
PATIENCE_S: Final = 1.0
"""How long others wait for a fetch under way where there is nothing to go on with: one that goes well is over by then."""

Key = jwt.PyJWK | AllowedPublicKeys
"""Bound to the algorithm that the provider names for it; alone where it names none, and then whatever such a key can sign with is taken."""


class ProviderDocuments:
    """What the provider publishes of itself; used from many threads.

    Args:
        issuer: Its name, and the address below which its configuration lies.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._configuration: dict[str, Any] = {}
        self._keys: dict[str, Key] = {}
        self._fetched_s = self._tried_s = -USABLE_S
        self._lock = threading.Lock()

    def configuration(self) -> Mapping[str, Any]:
        """The document of OpenID Connect Discovery 1.0, section 3.

        Raises:
            ProviderUnavailableError: It cannot be fetched, and none is kept.
        """
        self._refresh(urgent=False)
        return self._configuration

    def key(self, key_id: str | None) -> Key | None:
        """The key that signs with this id; one that appeared since the last fetch is found too.

        Args:
            key_id: `kid` of the token; without one the provider must have a single key.

        Raises:
            ProviderUnavailableError: The keys cannot be fetched, and none are kept.
        """
        self._refresh(urgent=False)
        if self._named(key_id) is None:
            self._refresh(urgent=True)
        return self._named(key_id)

    def _named(self, key_id: str | None) -> Key | None:
        keys = self._keys
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id)

    def _refresh(self, *, urgent: bool) -> None:
        if time.monotonic() - self._fetched_s < FRESH_S and not urgent:
            return
        # One fetches. Whoever has documents to go on with does not wait for it: a provider that hangs holds nobody up.
        if self._lock.acquire(timeout=0 if self._is_usable() else PATIENCE_S):
            try:
                self._fetch_if_due()
            finally:
                self._lock.release()
        if not self._is_usable():
            raise ProviderUnavailableError(
                "Expected the OpenID provider of NEUROFUSE_OIDC_ISSUER to publish its configuration and keys; it does not. Try again.",
                retry_after_s=int(PAUSE_S),
            )

    def _is_usable(self) -> bool:
        return time.monotonic() - self._fetched_s < USABLE_S

    def _fetch_if_due(self) -> None:
        now = time.monotonic()
        if now - self._tried_s >= PAUSE_S:
            self._tried_s = now
            self._try_to_fetch(now)

    def _try_to_fetch(self, now: float) -> None:
        try:
            configuration = _fetched(self.issuer + CONFIGURATION)
            # OpenID Connect Discovery 1.0, section 4.3: else one provider could speak for another.
            if str(configuration["issuer"]).rstrip("/") != self.issuer:
                return
            keys = _signing(_fetched(configuration["jwks_uri"]))
        except (httpx.HTTPError, httpx.InvalidURL, jwt.PyJWTError, LookupError, TypeError, ValueError):
            return
        self._configuration, self._keys, self._fetched_s = configuration, keys, now


def _signing(published: Mapping[str, Any]) -> dict[str, Key]:
    """The keys of a set that sign, by their ids.

    Raises:
        jwt.PyJWTError: There is none that can be used, or this is no set.
    """
    keys = jwt.PyJWKSet.from_dict(dict(published)).keys
    # PyJWT takes an RSA key without `alg`, which is optional (RFC 7517, section 4.4), for one of RS256, whatever it signs with.
    described = [each for each in published["keys"] if isinstance(each, dict)]
    bound = {each.get("kid") for each in described if "alg" in each}
    bare = {each.get("kid") for each in described} - bound
    signing = (key for key in keys if key.public_key_use in (None, "sig"))
    return {key.key_id or "": key.key if key.key_id in bare else key for key in signing}


def _fetched(url: str) -> dict[str, Any]:
    """A JSON object of another machine: small, soon, over TLS unless it is this machine, and without detours.

    Raises:
        httpx.HTTPError: It does not come.
        ValueError: It is no JSON, too much, too late, or the address is not safe.
        TypeError: It is no object.
    """
    if not is_safe(url):
        raise ValueError("expected https://")
    with (
        httpx.Client(timeout=WITHIN_S, follow_redirects=False) as client,
        client.stream("GET", url) as response,
    ):
        response.raise_for_status()
        content, give_up_s = bytearray(), time.monotonic() + WITHIN_S
        for part in response.iter_bytes():
            content += part
            if len(content) > LARGEST_BYTES or time.monotonic() > give_up_s:
                raise ValueError("expected a small document, soon")
    document = httpx.Response(200, content=bytes(content)).json()
    if not isinstance(document, dict):
        raise TypeError("expected a JSON object")
    return document


def is_safe(url: str) -> bool:
    """Whether an address is one of TLS, or of this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    )
