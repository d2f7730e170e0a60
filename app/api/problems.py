"""From errors to RFC 9457 problem documents: the one table of statuses.

`type` is `/problems/<code>`, a path on this very service (RFC 9457, section 3.1.1, allows a relative reference with a
full path): it is stable, ends in the code, and fetching it explains the problem.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app import errors
from app.api.parameter_faults import NOT_JSON, explain_faults
from app.api.routes import methods_at, path_of
from app.records.faults import explain_disk
from app.records.job_problem import StoredProblem

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "/problems/"
PROTOCOL_PREFIX: Final = "/v2"
"""Of the routes of the Open Inference Protocol, whose clients read an error from the member `error`."""

STATUS: Final[dict[type[errors.NeuroFuseError], HTTPStatus]] = {
    errors.MalformedRequestError: HTTPStatus.BAD_REQUEST,
    errors.UploadTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.ArchiveTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedFileError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.UnsupportedEncodingError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.ImageError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RecordError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.FeedbackInvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotAuthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.NotAllowedError: HTTPStatus.FORBIDDEN,
    errors.RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.CrossSiteError: HTTPStatus.FORBIDDEN,
    errors.SignInFailedError: HTTPStatus.FORBIDDEN,
    errors.PackageInUseError: HTTPStatus.CONFLICT,
    errors.NothingToRollBackError: HTTPStatus.CONFLICT,
    errors.PackageRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.WebhookRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.JobStateError: HTTPStatus.CONFLICT,
    errors.JobCancelledError: HTTPStatus.GONE,
    errors.IdempotencyKeyReusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.JobInterruptedError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.AnswerUnreadableError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.LookupFailedError: HTTPStatus.NOT_FOUND,
    errors.CaseExpiredError: HTTPStatus.GONE,
    errors.ServiceError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Status of an error class and of those below it; anything else is a fault of the service, 500."""


@dataclass(frozen=True)
class ProblemType:
    """One kind of problem, as `/problems/<code>` explains it.

    Attributes:
        code: Stable identifier.
        title: The same for every occurrence.
        status: HTTP status.
        meaning: One sentence.
    """

    code: str
    title: str
    status: HTTPStatus
    meaning: str


NOT_FOUND: Final = ProblemType(
    "not-found", "There is nothing at this address.", HTTPStatus.NOT_FOUND, "No route has this path."
)
METHOD_NOT_ALLOWED: Final = ProblemType(
    "method-not-allowed",
    "This address does not take this method.",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "The path exists, but not for this method; see the header Allow.",
)
INTERNAL: Final = ProblemType(
    errors.NeuroFuseError.code,
    errors.NeuroFuseError.title,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "A fault of the service, not of the request; the log holds the request id.",
)


def problem_type(error: type[errors.NeuroFuseError]) -> ProblemType:
    """The kind of problem that an error class stands for."""
    status = next((STATUS[base] for base in error.__mro__ if base in STATUS), None)
    if status is None:
        return INTERNAL
    return ProblemType(error.code, error.title, status, (error.__doc__ or "").strip())


def _leaves(error: type[errors.NeuroFuseError]) -> list[type[errors.NeuroFuseError]]:
    children = error.__subclasses__()
    return [leaf for child in children for leaf in _leaves(child)] if children else [error]


PROBLEM_TYPES: Final[dict[str, ProblemType]] = {
    kind.code: kind
    for kind in (
        *(problem_type(leaf) for leaf in _leaves(errors.RequestError)),
        *(problem_type(leaf) for leaf in _leaves(errors.ServiceError)),
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        INTERNAL,
    )
}
"""Every problem a client can meet, by code."""


def kind_of(problem: StoredProblem) -> ProblemType:
    """The kind of problem that a job met; one that this release does not know is a fault."""
    return PROBLEM_TYPES.get(problem.code, INTERNAL)


def problem_response(
    request: Request, kind: ProblemType, detail: str, fields: Mapping[str, Any] | None = None
) -> JSONResponse:
    """The problem document, with the code noted for the request's metric and log line."""
    request.state.problem_code = kind.code
    content = {
        **(fields or {}),
        "type": TYPE_PREFIX + kind.code,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "request_id": request.state.request_id,
    }
    if f"{path_of(request.scope)}/".startswith(f"{PROTOCOL_PREFIX}/"):
        content["error"] = detail
    return JSONResponse(content, kind.status, media_type=MEDIA_TYPE)


def problem_of(request: Request, error: errors.NeuroFuseError) -> JSONResponse:
    """The answer to an error made on purpose."""
    kind = problem_type(type(error))
    if kind is INTERNAL:
        return internal_problem(request)
    response = problem_response(request, kind, error.detail, error.fields)
    if "retry_after_s" in error.fields:
        response.headers["Retry-After"] = str(error.fields["retry_after_s"])
    if kind.status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = (
            "Bearer"  # RFC 9110, section 11.6.1: a 401 must say what would do
        )
    if isinstance(error, errors.UnsupportedEncodingError):
        response.headers["Accept-Encoding"] = "identity"  # section 15.5.16: so should a 415 for this cause
    return response


def _on_os_error(request: Request, error: OSError) -> JSONResponse:
    unavailable = explain_disk(error)
    if unavailable is None:
        raise error
    return problem_of(request, unavailable)


def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    kind = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}.get(error.status_code)
    if kind is None and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = problem_type(errors.MalformedRequestError)
    kind = kind or INTERNAL
    # The one 400 is FastAPI's own: of a body that its parser of JSON gave up, but not as wrong JSON.
    detail = NOT_JSON if error.status_code == HTTPStatus.BAD_REQUEST else kind.meaning
    response = problem_response(request, kind, detail)
    response.headers.update(error.headers or {})
    if kind is METHOD_NOT_ALLOWED:
        # RFC 9110, section 10.2.1: those of the resource, whichever route takes them.
        response.headers["Allow"] = ", ".join(sorted(methods_at(request.app, path_of(request.scope))))
    return response


def _on_validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    return problem_response(request, problem_type(errors.MalformedRequestError), *explain_faults(error))


def internal_problem(request: Request) -> JSONResponse:
    """The answer to a fault: nothing about its cause leaves the service."""
    return problem_response(request, INTERNAL, "The request failed by a fault of the service. Try again.")


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of this application a problem document, those of FastAPI itself included."""
    app.exception_handler(errors.NeuroFuseError)(problem_of)
    app.exception_handler(OSError)(_on_os_error)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_validation_error)
