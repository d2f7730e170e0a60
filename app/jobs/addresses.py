"""Where webhooks may go: an operator names the hosts, and nothing else is ever called.

A service that fetches what a client names can be turned against its own network (CWE-918, server-side request forgery).
So an address must have exactly a named scheme, host and port, and redirects are not followed (`app.jobs.sender`).
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from app.errors import WebhookRefusedError

LONGEST: Final = 2000
PORTS: Final = {"https": 443, "http": 80}

Origin = tuple[str, str, int]
"""Scheme, host in lower case, port."""


class AllowedAddresses:
    """The operator's list.

    Args:
        hosts: `NEUROFUSE_WEBHOOK_HOSTS`: `host` or `host:port` for https, or `http://host:port`, separated by commas.
        signed: Whether there is a secret to sign with; without one nothing is allowed.

    Raises:
        ValueError: An entry is none of these.
    """

    def __init__(self, hosts: str, *, signed: bool) -> None:
        entries = [entry.strip() for entry in hosts.split(",") if entry.strip()]
        self._origins: frozenset[Origin] = frozenset(_entries(entries)) if signed else frozenset()

    def judge(self, url: str) -> str:
        """Let an address pass.

        Args:
            url: As a client sent it.

        Returns:
            The same.

        Raises:
            WebhookRefusedError: It is not allowed.
        """
        if (
            len(url) > LONGEST
            or not url.isascii()
            or not url.isprintable()
            or _origin(url) not in self._origins
        ):
            raise WebhookRefusedError(
                "Expected the address of a host that the operator allows (NEUROFUSE_WEBHOOK_HOSTS, with a secret to sign); "
                "it is not. Leave it out and ask for the job instead, or have the host allowed.",
                part="webhook",
            )
        return url


def _entries(entries: Iterable[str]) -> Iterable[Origin]:
    for entry in entries:
        url = entry if "://" in entry else f"https://{entry}"
        origin = _origin(url)
        if origin is None or urlsplit(url).path not in {"", "/"}:
            raise ValueError(f"expected host, host:port or http://host:port, found {entry!r}")
        yield origin


def _origin(url: str) -> Origin | None:
    """Scheme, host and port of an address that has these and no user name; None for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc or "\\" in url or " " in url:
        return None
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]
