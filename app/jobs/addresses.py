"""Where webhooks may go: an operator names the hosts, and nothing else is ever called.

A service that fetches what a client names can be turned against its own network (CWE-918, server-side request forgery).
So an address must have exactly a named scheme, host and port, and redirects are not followed (`app.jobs.sender`).
"""

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
    """

    def __init__(self, hosts: str, *, signed: bool) -> None:
        urls = [host if "://" in host else f"https://{host}" for host in hosts.split(",") if host]
        self._origins = frozenset(map(origin_of, urls)) - {None} if signed else frozenset()

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
            or origin_of(url) not in self._origins
        ):
            raise WebhookRefusedError(
                "Expected the address of a host that the operator allows (NEUROFUSE_WEBHOOK_HOSTS, with a secret to sign); "
                "it is not. Leave it out and ask for the job instead, or have the host allowed.",
                part="webhook",
            )
        return url


def origin_of(url: str) -> Origin | None:
    """Scheme, host and port of an address that has these and no user name; None for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc or "\\" in url or " " in url:
        return None
    return parts.scheme, parts.hostname, PORTS[parts.scheme] if port is None else port
