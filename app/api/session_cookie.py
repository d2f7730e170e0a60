"""The cookies of the page: their names, their attributes, and when a request that bears one may do something.

A browser sends cookies on its own, so a request that changes something must also show that our own page sent it: by
`Sec-Fetch-Site`, which no script can set, or by `Origin` where the browser is too old for it (OWASP ASVS 5.0, 3.5.1). The cookie
itself is `SameSite=Strict`, out of the reach of scripts, and over TLS bound to this host by its name (RFC 6265bis, 4.1.3).
"""

from typing import Final, Literal
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.api.runtime import Runtime
from app.errors import CrossSiteError
from app.security.sessions import OpenSession
from app.settings import Settings

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
ATTEMPT_S: Final = 600
"""How long a person may take at the provider."""

Cookie = Literal["neurofuse-session", "neurofuse-sign-in"]
SESSION: Final[Cookie] = "neurofuse-session"
WHO_AM_I: Final = "/auth/me"
ATTEMPT: Final[Cookie] = "neurofuse-sign-in"


def page_address(settings: Settings) -> str:
    """Where browsers reach the page, without a slash at its end."""
    if settings.public_url:
        return settings.public_url
    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{settings.port}"


def cookie(connection: HTTPConnection, name: Cookie, settings: Settings) -> str | None:
    """The value of a cookie of ours, if the browser sent one."""
    return connection.cookies.get(_full(name, settings))


def set_cookie(response: Response, name: Cookie, value: str, settings: Settings) -> None:
    """Give the browser a cookie; that of a session ends with the browser, if not before."""
    is_attempt = name == ATTEMPT
    response.set_cookie(
        _full(name, settings),
        value,
        max_age=ATTEMPT_S if is_attempt else None,
        path="/",
        secure=_is_secure(settings),
        httponly=True,
        # The provider sends people back from another site, which a strict cookie would not survive.
        samesite="lax" if is_attempt else "strict",
    )


def forget_cookie(response: Response, name: Cookie, settings: Settings) -> None:
    """Take a cookie back."""
    response.delete_cookie(_full(name, settings), path="/", secure=_is_secure(settings), httponly=True)


def session_of(connection: HTTPConnection, runtime: Runtime) -> OpenSession | None:
    """The session whose cookie a request bears; None where it bears none that is good. May wait for the database.

    Raises:
        CrossSiteError: It would change something, and does not show that our own page sent it.
        StorageUnavailableError: The database does not answer now.
    """
    value = cookie(connection, SESSION, runtime.settings)
    if not value:
        return None
    try:
        require_own_page(connection, runtime.settings)
    except CrossSiteError:
        if runtime.sessions.find(value, is_use=False) is None:
            return None  # an invented cookie is a credential that is not good, and counted as such
        raise
    # A page that looks whether it is still signed in does nothing: two that lie open would keep each other so for ever.
    return runtime.sessions.find(value, is_use=connection.url.path != WHO_AM_I)


def require_own_page(connection: HTTPConnection, settings: Settings) -> None:
    """Refuse what another site makes a browser do.

    Raises:
        CrossSiteError: As it says.
    """
    if connection.scope.get("method") in SAFE_METHODS:
        return
    site = connection.headers.get("Sec-Fetch-Site")
    if site is None:
        is_own = connection.headers.get("Origin") == _origin(page_address(settings))
    else:
        is_own = site == "same-origin"
    if not is_own:
        raise CrossSiteError(
            "Expected a request of this service's own page, as `Sec-Fetch-Site: same-origin` or its `Origin` would show; "
            "software shows an API key or a token instead of the cookie."
        )


def _full(name: Cookie, settings: Settings) -> str:
    return f"__Host-{name}" if _is_secure(settings) else name


def _is_secure(settings: Settings) -> bool:
    return page_address(settings).startswith("https://")


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
