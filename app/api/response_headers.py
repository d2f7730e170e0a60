"""Headers of answers that tell a client what to do, as the OpenAPI document has them."""

from typing import Any, Final

from app import errors

Headers = dict[str, dict[str, Any]]

LOCATION: Final[Headers] = {
    "Location": {
        "description": "Where to go on: a path of this service, or the OpenID provider.",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}
RETRY_AFTER: Final[Headers] = {
    "Retry-After": {
        "description": "Seconds until it is worth asking again.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
PREFERENCE_APPLIED: Final[Headers] = {
    "Preference-Applied": {
        "description": "Of `Prefer`, what was done (RFC 7240, section 3).",
        "schema": {"type": "string"},
    }
}
ETAG: Final[Headers] = {
    "ETag": {
        "description": "Of the file; `If-None-Match` with it is answered 304.",
        "schema": {"type": "string"},
    }
}
CONTENT_RANGE: Final[Headers] = {
    "Content-Range": {
        "description": "Which bytes of how many (RFC 9110, section 14.4).",
        "schema": {"type": "string"},
    }
}
_WWW_AUTHENTICATE: Final[Headers] = {
    "WWW-Authenticate": {"description": "What would do.", "schema": {"type": "string"}}
}
_ACCEPT_ENCODING: Final[Headers] = {
    "Accept-Encoding": {"description": "How a body may be packed: not at all.", "schema": {"type": "string"}}
}

OF_PROBLEMS: Final[dict[str, Headers]] = {
    errors.NotAuthenticatedError.code: _WWW_AUTHENTICATE,
    errors.UnsupportedEncodingError.code: _ACCEPT_ENCODING,
    **{
        error.code: RETRY_AFTER
        for error in (
            errors.RateLimitedError,
            errors.IdempotencyKeyInUseError,
            errors.NotReadyError,
            errors.OverloadedError,
            errors.DeadlinePassedError,
            errors.StorageUnavailableError,
            errors.ProviderUnavailableError,
        )
    },
}
"""By code; `Retry-After` where the cause will pass."""


def headers_of(codes: list[str]) -> dict[str, Headers]:
    """The member `headers` of a response that stands for these problems; nothing where they have none."""
    headers = {name: header for code in codes for name, header in OF_PROBLEMS.get(code, {}).items()}
    return {"headers": headers} if headers else {}
