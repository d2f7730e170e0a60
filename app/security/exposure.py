"""What must hold before this service listens: whoever is beyond this machine is asked who they are."""

import ssl

from app.errors import MalformedRequestError
from app.setting_values import is_loopback
from app.settings import Settings


def require_safe(settings: Settings) -> None:
    """Refuse to start where patients' data would lie open.

    Raises:
        MalformedRequestError: The service would be reachable from other machines without authentication, people who sign in
            could not come back, or half of what TLS needs is missing or cannot be used.
    """
    if settings.authentication == "off" and not is_loopback(settings.host):
        raise MalformedRequestError(
            "Expected NEUROFUSE_AUTHENTICATION=on, since NEUROFUSE_HOST lets other machines reach this service; it is off. "
            "Set it to on and make a key with `neurofuse keys create`, or listen on 127.0.0.1. See docs/how-to/access.md."
        )
    if settings.oidc_client_id and not (settings.public_url or is_loopback(settings.host)):
        raise MalformedRequestError(
            "Expected NEUROFUSE_PUBLIC_URL beside NEUROFUSE_OIDC_CLIENT_ID: the address that browsers reach the page at, and come "
            "back to from the OpenID provider; it is empty. See docs/how-to/sign-in.md."
        )
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise MalformedRequestError(
            "Expected NEUROFUSE_TLS_CERTIFICATE and NEUROFUSE_TLS_KEY, or neither; one of them is empty."
        )
    if settings.tls_certificate:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                settings.tls_certificate, settings.tls_key
            )
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            raise MalformedRequestError(
                "Expected in NEUROFUSE_TLS_CERTIFICATE a PEM chain and in NEUROFUSE_TLS_KEY its key; they cannot be read, or do not fit."
            ) from None
