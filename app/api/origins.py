"""Where a request comes from: by which name, from which machine, on behalf of which site."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from app.api.session_cookie import SAFE_METHODS
from app.errors import CrossSiteError, MalformedRequestError, NotAllowedError
from app.setting_values import is_loopback
from app.settings import Settings

OWN_SITES: Final = frozenset({"same-origin", "none"})
"""Of `Sec-Fetch-Site`: our own page, or somebody who typed the address."""
IPV6_NETWORK_BITS: Final = 64


class Origins:
    """What the operator lets come in.

    Args:
        settings: Names of this service, and whether everybody is asked who they are.
    """

    def __init__(self, settings: Settings) -> None:
        self._hosts = frozenset(filter(None, settings.hosts.split(",")))
        self._asks = settings.authentication == "on"

    def require_known(self, request: Request) -> None:
        """Refuse what was meant for another service, or comes from where nobody should.

        Raises:
            MalformedRequestError: The name is none of this service.
            NotAllowedError: Nobody is asked who they are, and another machine sent it.
        """
        if not self._is_ours(_host_name(request.headers.get("Host", ""))):
            raise MalformedRequestError(
                "Expected in the header Host a name of this service; the operator lists them in NEUROFUSE_HOSTS."
            )
        # Whoever serves this application by another program than ours chose its address there: see who comes from where.
        if not (self._asks or request.client is None or is_loopback(request.client.host)):
            raise NotAllowedError(
                "Expected NEUROFUSE_AUTHENTICATION=on, since other machines reach this service; it is off, so it answers its own alone."
            )

    def _is_ours(self, name: str) -> bool:
        """Against DNS rebinding: another site's name that suddenly means this address is not ours."""
        if self._hosts:
            return name in self._hosts
        return self._asks or is_loopback(name)


def refuse_other_sites(request: Request) -> None:
    """Where nobody is asked who they are, any page that this machine's browser shows could ask too.

    Raises:
        CrossSiteError: A browser says that another site's page sent this.
    """
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    host = request.headers.get("Host", "")
    is_own = site in OWN_SITES if site else origin in (None, f"http://{host}", f"https://{host}")
    if not is_own:
        raise CrossSiteError(
            "Expected a request of this service's own page, or of no page; another site sent it."
        )


def network_of(request: Request) -> str:
    """The address that a request comes from; of IPv6 the network, since one machine may have 2**64 of them."""
    address = request.client.host if request.client else ""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:  # as sockets that take both kinds write it (RFC 4291, section 2.5.5.2)
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_NETWORK_BITS), strict=False))


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""
