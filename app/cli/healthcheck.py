"""`neurofuse healthcheck`: containers ask it twice a minute, so it loads no more than it needs."""

import argparse
import ssl
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final

from app.exit_status import FAILED, OK
from app.settings import Settings

HEALTHCHECK_TIMEOUT_S: Final = 5.0


def ask(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Asks the service on this machine whether it is ready."""
    # Where the service listens on every address, loopback is one of them.
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - compared, not bound  # nosec B104
    where = (host, settings.port)
    asking = (
        HTTPSConnection(*where, timeout=HEALTHCHECK_TIMEOUT_S, context=_own_certificate())
        if settings.tls_certificate
        else HTTPConnection(*where, timeout=HEALTHCHECK_TIMEOUT_S)
    )
    try:
        with closing(asking):
            asking.request("GET", "/readyz")
            return OK if asking.getresponse().status == HTTPStatus.OK else FAILED
    except (OSError, HTTPException):
        return FAILED


def _own_certificate() -> ssl.SSLContext:
    """Takes any certificate: it is asked of this very machine, whose address no certificate names, and nothing secret is sent."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
