"""The door: decides on the request's first lines whether it may go on, before a byte of its body is read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import anyio
import anyio.to_thread
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.access import ANYBODY, PERHAPS, Access, access_to
from app.api.origins import Origins, network_of, refuse_other_sites
from app.api.problems import problem_of
from app.api.routes import path_of
from app.api.runtime import Runtime
from app.api.session_cookie import session_of
from app.errors import (
    CrossSiteError,
    NeuroFuseError,
    NotAllowedError,
    NotAuthenticatedError,
    RateLimitedError,
    UnsupportedEncodingError,
)
from app.security.principal import Principal
from app.security.rates import Rates
from app.settings import Settings

PROBES: Final = frozenset({"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""An orchestrator asks them by address, whatever the service is called."""
SIGN_IN: Final = frozenset({"/auth/sign-in", "/auth/callback", "/auth/sign-out"})
SIGN_INS_PER_MINUTE: Final = 600
"""Of one address, which may be that of a whole hospital when a shift begins; what is more asks for lines in the audit trail, and for
questions to the provider."""
REFUSALS_PER_MINUTE: Final = 60
"""Of one address; more are 429. Nobody guesses 256 bits: this is for clients that go on and on with an expired key."""
EVERY_METHOD: Final = "*"
LOOKING: Final = 8
"""Credentials looked up at the same time, and as many tokens of the provider beside them: while it hangs, nobody else waits."""


@dataclass(frozen=True)
class _Place:
    """One method of one route.

    Attributes:
        method: Of HTTP; `*` for all that a mounted application or a websocket takes, which is closed.
        template: Path of the route.
        pattern: Of paths.
        access: Who may use it; None for nobody.
    """

    method: str
    template: str
    pattern: re.Pattern[str]
    access: Access | None


class Guard:
    """ASGI middleware. What is refused here is a problem document, and the body stays unread.

    Args:
        app: What it wraps.
        application: Whose routes it knows; all of them are there by now.
        settings: The operator's choices.
    """

    def __init__(self, app: ASGIApp, application: FastAPI, settings: Settings) -> None:
        self._app = app
        self._places = _places(application)
        self._settings = settings
        self._origins = Origins(settings)
        self._rates = Rates(settings.requests_per_minute)
        self._refusals = Rates(REFUSALS_PER_MINUTE)
        self._sign_ins = Rates(SIGN_INS_PER_MINUTE)
        self._looking = anyio.CapacityLimiter(LOOKING)
        self._looking_at_tokens = anyio.CapacityLimiter(LOOKING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one connection pass, or answer it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # there are none; RFC 6455, section 7.4.1
            return
        if scope["type"] == "http":
            request = Request(scope)
            try:
                await self._admit(request)
            except NeuroFuseError as error:
                response = problem_of(request, error)
                if _has_body(request.headers):
                    response.headers["Connection"] = "close"  # what was not read is not read later either
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admit(self, request: Request) -> None:
        place = self._place(request.scope)
        if place is None:
            self._origins.require_known(request)
            return  # 404 or 405
        if place.template not in PROBES:
            self._origins.require_known(request)
        # From here on the audit knows what was asked: what comes before may be refused as often as somebody likes.
        request.state.route_template = place.template
        if place.access is None:
            raise _closed()
        if place.access == ANYBODY:
            self._count_sign_in(place, request)
            return
        principal = await self._principal(request)
        if principal is None:
            self._refuse_unknown(place, request)
            return
        # Before anything is refused: the log and the audit say who was.
        request.state.principal = principal
        if principal.kind == "local":
            self._refuse_other_sites(request)
        self._require_patience(principal)
        self._require_role(place.access, principal)
        _refuse_packed(request.headers)

    def _refuse_other_sites(self, request: Request) -> None:
        try:
            refuse_other_sites(request)
        except CrossSiteError:
            self._count(
                self._refusals,
                request,
                "Expected requests of this service's own page; another site sent too many.",
            )
            raise

    def _place(self, scope: Scope) -> _Place | None:
        """Where the router will go: the first route of this path that has this method."""
        path = path_of(scope)
        fitting = (each for each in self._places if each.method in (scope["method"], EVERY_METHOD))
        return next((each for each in fitting if each.pattern.match(path)), None)

    async def _principal(self, request: Request) -> Principal | None:
        """Whoever the request shows itself to come from. A header goes before a cookie, which the browser adds on its own."""
        runtime = cast("Runtime", request.state.runtime)
        authorization = request.headers.get("Authorization", "")
        look = runtime.authenticator.principal
        if not runtime.authenticator.is_on:
            return look(authorization)
        if authorization:
            # Tokens of the provider have dots (RFC 7515, section 3.1), API keys none: what has none never waits for the provider.
            places = self._looking_at_tokens if "." in authorization else self._looking
            return await anyio.to_thread.run_sync(look, authorization, limiter=places)
        if "Cookie" not in request.headers:
            return None
        session = await anyio.to_thread.run_sync(session_of, request, runtime, limiter=self._looking)
        return session.principal if session else None

    def _refuse_unknown(self, place: _Place, request: Request) -> None:
        if place.access != PERHAPS or "Authorization" in request.headers:
            self._count(
                self._refusals, request, "Expected a good credential; this address has shown too many others."
            )
        if place.access != PERHAPS:
            raise NotAuthenticatedError(
                "Expected the header `Authorization: Bearer` with a good API key or token, or a session of the page. "
                "See docs/how-to/access.md."
            )

    def _count_sign_in(self, place: _Place, request: Request) -> None:
        if place.template in SIGN_IN:
            self._count(self._sign_ins, request, "Expected fewer sign-ins from this address; wait and go on.")

    def _count(self, rates: Rates, request: Request, too_many: str) -> None:
        wait_s = rates.wait_s(network_of(request))
        if wait_s:
            raise RateLimitedError(too_many, retry_after_s=wait_s)

    def _require_patience(self, principal: Principal) -> None:
        wait_s = 0 if principal.kind == "local" else self._rates.wait_s(principal.subject)
        if wait_s:
            raise RateLimitedError(
                f"Expected at most {self._settings.requests_per_minute} requests a minute of one caller; wait and go on.",
                limit=self._settings.requests_per_minute,
                retry_after_s=wait_s,
            )

    def _require_role(self, allowed: Access, principal: Principal) -> None:
        if isinstance(allowed, str) or principal.roles & allowed:
            return
        if principal.kind == "local":
            self._refuse_without_token()
        roles = sorted(allowed)
        raise NotAllowedError(
            f"Expected a caller in the role {' or '.join(roles)}; ask whoever gave you the key, or your roles.",
            roles=roles,
        )

    def _refuse_without_token(self) -> None:
        if self._settings.admin_token:
            raise NotAuthenticatedError(
                "Expected the header `Authorization: Bearer <token>` with the admin token of this service."
            )
        raise NotAllowedError(
            "Expected a service whose operator set NEUROFUSE_ADMIN_TOKEN; this one has none, so nobody may do this."
        )


async def require_admission(request: Request) -> None:
    """A dependency of every route, behind the door: nothing is answered that the guard took for something else.

    Raises:
        NotAllowedError: The router chose another route than the guard looked up.
    """
    template = getattr(request.scope.get("route"), "path", None)
    if template is None or getattr(request.state, "route_template", None) != template:
        raise _closed()


def _closed() -> NotAllowedError:
    return NotAllowedError("Expected a route whose roles are known; this one is closed to everybody.")


def _places(application: FastAPI) -> Sequence[_Place]:
    return [
        _Place(method, route.path or "", route.path_regex, access_to(method, route.path or "", route.name))
        for route in iter_route_contexts(application.routes)
        for method in sorted(route.methods or {EVERY_METHOD})
    ]


def _refuse_packed(headers: Headers) -> None:
    """A few bytes would unfold to more than any bound on bytes says; archives have bounds of their own."""
    coding = headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity") and _has_body(headers):
        raise UnsupportedEncodingError("Expected a body without Content-Encoding; send it as it is.")


def _has_body(headers: Headers) -> bool:
    return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers
