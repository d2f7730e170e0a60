"""Around every request: its id, its metric, its log line, headers for browsers, and the net under unexpected errors.

What is known of a request goes with it in `request.state`: `runtime`, from the lifespan; `request_id`, set here; `route_template` and `principal`, by
`app.api.guard` (of whoever signs in or out, by `app.api.sign_in`); `problem_code`, by whatever makes a problem of it; `audited` and `is_written`, by
`note` and `set_written` of `app.api.auditing`. What ends early has only the first of them.
"""

import re
import time
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.departure import ABANDONED, GONE
from app.api.problems import internal_problem
from app.identifiers import uuid7
from app.metrics import Metrics
from app.telemetry import log_fault
from app.tracing import Span, Tracing

REQUEST_ID_HEADER: Final = "X-Request-ID"
ACCEPTED_REQUEST_ID: Final = re.compile(
    r"[0-9A-Fa-f]{8}(-?)[0-9A-Fa-f]{4}(\1[0-9A-Fa-f]{4}){3}[0-9A-Fa-f]{8}"
)
"""A UUID and nothing else: it goes into the log and the audit trail, where no word of a client may."""
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page of ours may load: its own files. `data:` is the viewer's font, `blob:` a picture made in the browser."""
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STAY_ON_TLS: Final = "max-age=31536000"
"""A year (RFC 6797); of this name alone, since others below it may not be ours."""
QUIET_ROUTES: Final = frozenset({"/livez", "/readyz", "/metrics"})
CLIENT_ERROR, SERVER_ERROR = 400, 500

log = structlog.stdlib.get_logger(__name__)


class RequestScope:
    """ASGI middleware; outermost of the application's own, so that nothing escapes to a server's traceback.

    Args:
        app: What it wraps.
        metrics: Where finished requests are counted.
        tracing: Where they are told of; by default nowhere.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing or Tracing("", "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._tracing.request(scope["method"], Headers(scope=scope)) as span:
            await _Exchange(self._app, self._metrics, scope, span).serve(receive, send)


class _Exchange:
    """One request and its response."""

    def __init__(self, app: ASGIApp, metrics: Metrics, scope: Scope, span: Span) -> None:
        self._app = app
        self._metrics = metrics
        self._span = span
        self._scope = scope
        self._status: int | None = None
        self._began = time.perf_counter()
        self._request_id = _request_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = self._request_id

    async def serve(self, receive: Receive, send: Send) -> None:
        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                self._complete(MutableHeaders(scope=message))
            await send(message)

        trace = {"trace_id": self._span.trace_id} if self._span.trace_id else {}
        with structlog.contextvars.bound_contextvars(request_id=self._request_id, **trace):
            try:
                await self._app(self._scope, receive, observed)
            except GONE:
                self._scope["state"]["problem_code"] = ABANDONED
            except Exception as error:  # noqa: BLE001 - the net: logged by type and place, answered as a problem
                log_fault(log, "request-fault", error)
                if self._status is None:
                    await internal_problem(Request(self._scope))(self._scope, receive, observed)
            finally:
                self._finish()

    def _complete(self, headers: MutableHeaders) -> None:
        headers[REQUEST_ID_HEADER] = self._request_id
        headers.setdefault(
            "Cache-Control", "no-store"
        )  # answers are a patient's; no shared cache may keep one
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if self._scope["scheme"] == "https":
            headers["Strict-Transport-Security"] = STAY_ON_TLS

    def _finish(self) -> None:
        # The template, never the path: an address may hold an id, and labels must stay few.
        state = self._scope["state"]
        route = getattr(self._scope.get("route"), "path", None) or state.get("route_template", "unmatched")
        code, principal = state.get("problem_code", ""), state.get("principal")
        seconds = time.perf_counter() - self._began
        self._metrics.requests.labels(route, _outcome(self._status), code).inc()
        if self._status != HTTPStatus.ACCEPTED:
            # Of a case that is accepted for later `neurofuse_job_seconds` tells; among the others it would hide how long these wait.
            self._metrics.request_seconds.labels(route).observe(seconds)
        self._span.rename(f"{self._scope['method']} {route}")
        self._span.tell(http__route=route, http__response__status_code=self._status or 0)
        if code:
            self._span.fail(code)
        level = "debug" if route in QUIET_ROUTES else "info"
        getattr(log, level)(
            "request-finished",
            method=self._scope["method"],
            route=route,
            caller=principal.subject if principal else "",
            status=self._status,
            code=code,
            duration_ms=round(seconds * 1000, 1),
        )


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID_HEADER, "")
    return given if ACCEPTED_REQUEST_ID.fullmatch(given) else str(uuid7())


def _outcome(status: int | None) -> str:
    if status is None:
        return ABANDONED
    if status >= SERVER_ERROR:
        return "failed"
    return "refused" if status >= CLIENT_ERROR else "ok"
