"""`/auth`: a person signs in on the page with the OpenID provider of the site, sees who they are here, and signs out."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from app.api.openapi import problem_responses
from app.api.response_headers import LOCATION
from app.api.runtime import CurrentRuntime, Runtime
from app.api.session_cookie import (
    ATTEMPT,
    SESSION,
    cookie,
    forget_cookie,
    page_address,
    require_own_page,
    session_of,
    set_cookie,
)
from app.errors import (
    CrossSiteError,
    NeuroFuseError,
    NotAllowedError,
    ProviderUnavailableError,
    RateLimitedError,
    SignInFailedError,
    StorageUnavailableError,
)
from app.security.principal import LOCAL, Principal, Role
from app.security.sign_in import Attempt, SignIn, unavailable

PREFIX: Final = "/auth"
CALLBACK: Final = f"{PREFIX}/callback"
PAGE: Final = "/"
FAILED: Final = "/#/sign-in/{code}"
"""A view of the page: whoever comes here is a person in a browser, who is told in words."""
ASKING: Final = 16
"""Browsers that wait for the provider at the same time, in threads apart: while it hangs, nobody else waits."""

router = APIRouter(prefix=PREFIX, tags=["sign-in"])

Answer = TypeVar("Answer")


class Person(BaseModel):
    """Whoever asks."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(description="What they are called, or what their key is for.")]
    subject: Annotated[str, Field(description="How the audit names them.")]
    roles: Annotated[list[Role], Field(description="What they may do; empty where the provider gives none.")]


class WhoAmI(BaseModel):
    """Who asks, and how people sign in here."""

    model_config = ConfigDict(frozen=True)

    authentication: Annotated[
        Literal["on", "off"], Field(description="`off`: this service asks nobody who they are.")
    ]
    sign_in: Annotated[
        str | None, Field(description="Where a browser goes to sign in; null where people cannot.")
    ]
    person: Annotated[Person | None, Field(description="Null for whoever is not signed in.")]
    expires: Annotated[
        datetime | None, Field(description="When the session ends at the latest; null without one.")
    ] = None
    idle_minutes: Annotated[
        float | None,
        Field(description="Minutes without a request after which it ends before; null without one."),
    ] = None


class SignedOut(BaseModel):
    """What is left to do."""

    model_config = ConfigDict(frozen=True)

    next: Annotated[
        str | None,
        Field(description="Where the browser signs out of the OpenID provider too; null where it cannot."),
    ]


@router.get("/me", operation_id="who_am_i", summary="Who asks", responses=problem_responses())
def who_am_i(request: Request, runtime: CurrentRuntime) -> WhoAmI:
    """Answers everybody, so that the page knows whether to offer the sign-in."""
    settings = runtime.settings
    session = session_of(request, runtime)
    shown: Principal | None = getattr(request.state, "principal", None)
    if settings.authentication == "off":
        shown = LOCAL
    who = session.principal if session else shown
    return WhoAmI(
        authentication=settings.authentication,
        sign_in=f"{PREFIX}/sign-in" if runtime.sign_in else None,
        person=who and Person(name=who.name, subject=who.subject, roles=sorted(who.roles)),
        expires=session.expires if session else None,
        idle_minutes=settings.session_idle_minutes if session else None,
    )


@router.get(
    "/sign-in",
    operation_id="sign_in",
    summary="Go to the OpenID provider",
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    responses={
        **problem_responses(NotAllowedError, RateLimitedError),
        HTTPStatus.SEE_OTHER: {"headers": LOCATION},
    },
)
async def sign_in(request: Request, runtime: CurrentRuntime) -> Response:
    """For browsers: the authorization code flow with PKCE, which comes back to `/auth/callback`."""
    flow, attempt = _flow(runtime), Attempt.new()

    def leave() -> Response:
        response = _see_other(flow.address(attempt))
        set_cookie(response, ATTEMPT, attempt.secret, runtime.settings)
        return response

    return await _in_words(leave, request, runtime)


@router.get(
    "/callback",
    operation_id="finish_sign_in",
    summary="Come back from the OpenID provider",
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    responses={
        **problem_responses(NotAllowedError, RateLimitedError, StorageUnavailableError),
        HTTPStatus.SEE_OTHER: {"headers": LOCATION},
    },
)
async def finish_sign_in(request: Request, runtime: CurrentRuntime) -> Response:
    """Leads to the page, signed in, or to its words on why not."""
    settings, flow = runtime.settings, _flow(runtime)

    def arrive() -> Response:
        secret = cookie(request, ATTEMPT, settings)
        if secret is None:
            raise SignInFailedError(
                "Expected the browser that began this sign-in, not later than ten minutes after; sign in once more."
            )
        principal = flow.finish(Attempt(secret), request.query_params)
        request.state.principal = principal  # for the audit trail
        # A value that was here before the sign-in is worth nothing after it: no session can be fixed in advance.
        _end_session(request, runtime)
        response = _see_other(PAGE)
        set_cookie(response, SESSION, runtime.sessions.begin(principal), settings)
        return response

    response = await _in_words(arrive, request, runtime)
    forget_cookie(response, ATTEMPT, settings)
    return response


@router.post(
    "/sign-out",
    operation_id="sign_out",
    summary="Sign out",
    responses=problem_responses(CrossSiteError, RateLimitedError, StorageUnavailableError),
)
async def sign_out(request: Request, response: Response, runtime: CurrentRuntime) -> SignedOut:
    """The session is over at once, on every tab of this browser; nothing happens where there is none."""
    settings = runtime.settings
    require_own_page(request, settings)
    await run_in_threadpool(_leave_session, request, runtime)
    forget_cookie(response, SESSION, settings)
    try:
        return SignedOut(next=await _ask(lambda: _sign_out_address(runtime), runtime))
    except ProviderUnavailableError:
        return SignedOut(next=None)


def _flow(runtime: Runtime) -> SignIn:
    if runtime.sign_in is None:
        raise NotAllowedError(
            "Expected a service with an OpenID provider and a client id for its page (NEUROFUSE_OIDC_ISSUER, "
            "NEUROFUSE_OIDC_CLIENT_ID); this one has none, so nobody signs in here. Use an API key."
        )
    return runtime.sign_in


def _leave_session(request: Request, runtime: Runtime) -> None:
    session = session_of(request, runtime)
    if session is not None:
        request.state.principal = session.principal  # for the audit trail
    _end_session(request, runtime)


def _sign_out_address(runtime: Runtime) -> str | None:
    if runtime.sign_in is None:
        return None
    return runtime.sign_in.sign_out_address(page_address(runtime.settings) + PAGE)


def _end_session(request: Request, runtime: Runtime) -> None:
    if value := cookie(request, SESSION, runtime.settings):
        runtime.sessions.end(value)


async def _ask(question: Callable[[], Answer], runtime: Runtime) -> Answer:
    """What may wait for the provider, in a thread of the few there are for it.

    Raises:
        ProviderUnavailableError: All of them wait for it already.
    """
    if not runtime.signing_in.available_tokens:
        raise unavailable()
    return await anyio.to_thread.run_sync(question, limiter=runtime.signing_in)


async def _in_words(step: Callable[[], Response], request: Request, runtime: Runtime) -> Response:
    """The answer of a step; where it fails, the page says so."""
    try:
        return await _ask(step, runtime)
    except NeuroFuseError as error:
        request.state.problem_code = error.code
        return _see_other(FAILED.format(code=error.code))


def _see_other(address: str) -> Response:
    # RFC 9700, section 4.12: 303 alone makes every browser go on with GET.
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
