"""Every request that touches a patient's case or the service's packages leaves a line in the audit trail before it is answered.

The line is on the disk before the first byte of the answer leaves; where it cannot be written, there is no answer.
"""

import re
from http import HTTPStatus
from typing import Final, cast

import anyio.to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.access import ADMIN, CARE, CLINICIAN, access_to
from app.api.departure import ABANDONED, GONE
from app.api.problems import INTERNAL, problem_of
from app.api.runtime import Runtime
from app.api.visibility import id_of
from app.errors import NeuroFuseError
from app.records.audit import Deed, model_in_words
from app.records.predictions import KeptPrediction
from app.security.principal import Principal

WATCHED: Final = (CARE, CLINICIAN, ADMIN)
SIGNING: Final = frozenset({"GET /auth/callback", "POST /auth/sign-out"})
POLLED: Final = frozenset({"GET /jobs", "GET /jobs/{job_id}", "GET /batches/{batch_id}"})
"""Asked again and again, and say nothing of a patient; nor does an answer that is not there yet (202)."""
REFUSALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""Of any route: who tried what."""
OBJECTS: Final = ("prediction_id", "job_id", "batch_id", "upload_id")
ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PACKAGE: Final = re.compile(r"[a-z0-9-]{1,64}(@[a-z0-9-]{1,64})?")
NOT_A_NAME: Final = "not a name of ours"
"""Stands for whatever a client wrote into a path in an id's place."""
UNKNOWN: Final = Principal("", "local", frozenset(), "")


def note(request: Request, object_id: str, model: str) -> None:
    """Tell the trail what a request was about, where its path does not.

    Args:
        request: Being answered.
        object_id: The prediction, job, batch or alias that came of it.
        model: The package that answers, as `model_in_words` has it, or what the alias means.
    """
    request.state.audited = object_id, model


def answered(request: Request, answer: KeptPrediction) -> Deed:
    """The line of a request that is about to be answered with a prediction, to be written together with it."""
    note(request, answer.id, model_in_words(answer.model_name, answer.model_version, answer.model_sha256))
    return _line(request, HTTPStatus.OK)


def set_written(request: Request) -> None:
    """Tell the trail that the line of this request's answer is on the disk; what else becomes of the request gets another."""
    request.state.is_written = True


class Auditing:
    """ASGI middleware, around the guard: what that refuses is written down too.

    Args:
        app: What it wraps.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, once its line is written."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        is_withheld = False

        async def written_first(message: Message) -> None:
            nonlocal is_withheld
            if message["type"] == "http.response.start":
                problem = await _written(request, message["status"])
                if problem is not None:
                    is_withheld = True
                    await problem_of(request, problem)(scope, receive, send)
            if not is_withheld:
                await send(message)

        try:
            await self._app(scope, receive, written_first)
        except Exception as error:
            if not is_withheld:
                request.state.problem_code = ABANDONED if isinstance(error, GONE) else INTERNAL.code
                await _written(request, HTTPStatus.INTERNAL_SERVER_ERROR)
            raise


async def _written(request: Request, status: int) -> NeuroFuseError | None:
    """Write the line of an answer that is about to leave, if it has one; the error that it met."""
    deed = _deed(request, status)
    if deed is None:
        return None
    runtime = cast("Runtime", request.state.runtime)
    try:
        await anyio.to_thread.run_sync(runtime.audit.add, deed)
    except NeuroFuseError as error:
        return error
    return None


def _deed(request: Request, status: int) -> Deed | None:
    template = getattr(request.state, "route_template", None)
    # Whoever asks too often is told so as often, and must not fill a disk by it; the log and the metrics count.
    if template is None or status == HTTPStatus.TOO_MANY_REQUESTS:
        return None
    action = _action(request)
    is_watched = access_to(request.method, template) in WATCHED and request.method != "HEAD"
    is_poll = action in POLLED or (request.method == "GET" and status == HTTPStatus.ACCEPTED)
    if not ((is_watched and not is_poll) or action in SIGNING or status in REFUSALS):
        return None
    if status < HTTPStatus.BAD_REQUEST and getattr(request.state, "is_written", False):
        return None
    return _line(request, status)


def _line(request: Request, status: int) -> Deed:
    principal = cast("Principal", getattr(request.state, "principal", UNKNOWN))
    object_id, model = getattr(request.state, "audited", (_object(request), ""))
    return Deed(
        subject=principal.subject,
        kind=principal.kind if principal.subject else "unknown",
        action=_action(request),
        object_id=object_id,
        model=model,
        outcome=_outcome(request, status),
        request_id=request.state.request_id,
    )


def _action(request: Request) -> str:
    return f"{request.method} {request.state.route_template}"


def _object(request: Request) -> str:
    """What the path names. A client's own words are kept only where they are a name of ours."""
    parameters: dict[str, object] = request.scope.get("path_params", {})
    for name in OBJECTS:
        if name in parameters:
            return _if(ID, id_of(str(parameters[name])))
    if "name" not in parameters:
        return ""
    which = parameters.get("version", parameters.get("alias"))
    return _if(PACKAGE, str(parameters["name"]) + ("" if which is None else f"@{which}"))


def _if(form: re.Pattern[str], text: str) -> str:
    return text if form.fullmatch(text) else NOT_A_NAME


def _outcome(request: Request, status: int) -> str:
    code: str = getattr(request.state, "problem_code", "")
    return code or ("ok" if status < HTTPStatus.BAD_REQUEST else str(status))
