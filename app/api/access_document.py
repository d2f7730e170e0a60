"""What the OpenAPI document says of the door: credentials, roles, and how a request is refused before its route sees it."""

from collections.abc import Sequence
from typing import Any, Final

from app import errors
from app.api.access import ACCESS, ANYBODY, PERHAPS
from app.api.openapi import document_problems
from app.api.problems import MEDIA_TYPE, problem_type
from app.api.session_cookie import SAFE_METHODS, SESSION

BEARER: Final = "bearer"
COOKIE: Final = "session"
ROLES_MEMBER: Final = "x-roles"
"""OpenAPI has no word for roles; members that begin with `x-` are its way to add one."""

SCHEMES: Final = {
    BEARER: {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`neurofuse keys create`), an access token of the site's OpenID provider, or the value of "
        "`NEUROFUSE_ADMIN_TOKEN` or `NEUROFUSE_METRICS_TOKEN`. Where authentication is off, only the admin token is looked at.",
    },
    COOKIE: {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION,
        "description": "The session of somebody signed in on the page; over TLS its name begins with `__Host-`.",
    },
}
REFUSALS: Final = (
    errors.NotAuthenticatedError,
    errors.NotAllowedError,
    errors.RateLimitedError,
    errors.StorageUnavailableError,
    errors.ProviderUnavailableError,
)
"""Of every route that asks who is there; that may take a look into the database, or at the provider's keys."""


def document_access(document: dict[str, Any]) -> None:
    """Complete the generated document.

    Args:
        document: With all its operations; changed in place.
    """
    document["components"]["securitySchemes"] = SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, f"{method.upper()} {path}")


def _complete(operation: dict[str, Any], route: str) -> None:
    access = ACCESS.get(route)
    # OpenAPI 3.1, section 4.8.10: an empty requirement says that none of the others need be met.
    schemes: list[dict[str, list[str]]] = [{BEARER: []}, {COOKIE: []}]
    if access == ANYBODY:
        operation["security"] = []
        _refuse(operation, (errors.MalformedRequestError,))
        return
    operation["security"] = [{}, *schemes] if access == PERHAPS else schemes
    if access != PERHAPS:
        operation[ROLES_MEMBER] = sorted(access or ())
    other_sites = () if route.split(maxsplit=1)[0] in SAFE_METHODS else (errors.CrossSiteError,)
    packed = (errors.UnsupportedEncodingError,) if "requestBody" in operation else ()
    _refuse(operation, (errors.MalformedRequestError, *REFUSALS, *other_sites, *packed))


def _refuse(operation: dict[str, Any], kinds: Sequence[type[errors.NeuroFuseError]]) -> None:
    for status, response in document_problems(*map(problem_type, kinds)).items():
        _merge(operation["responses"].setdefault(str(status), response), response)


def _merge(known: dict[str, Any], more: dict[str, Any]) -> None:
    """Add the problems of one response to those of another of the same status."""
    added = more["content"][MEDIA_TYPE]
    if "headers" in more:
        known["headers"] = known.get("headers", {}) | more["headers"]
    examples = known.setdefault("content", {}).setdefault(MEDIA_TYPE, added)["examples"]
    for code, example in added["examples"].items():
        if code not in examples:
            examples[code] = example
            known["description"] += f" `{code}`: {example['value']['title']}"
