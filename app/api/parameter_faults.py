"""What is wrong with the parameters of a request, in fixed words: Pydantic's own may quote what the client sent."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi.exceptions import RequestValidationError

NOT_JSON: Final = "Expected a JSON document in UTF-8 with unique names; the body cannot be parsed as one."
NOT_SAID_TO_BE_JSON: Final = "Expected Content-Type: application/json; the request has another one, or none."
DIFFERENT: Final = (
    "Expected the parameters of the OpenAPI document; those named in `parameters` differ, `reasons` says how."
)
OTHER: Final = "not-allowed-value"
WRONG_TYPE: Final = "wrong-type"
REASONS: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "json_invalid": "not-json",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
    "string_too_long": "too-long",
    "string_pattern_mismatch": "wrong-form",
}
"""Kind of an error, as Pydantic names it, to our word; see `_reason` for all others."""


def explain_faults(error: RequestValidationError) -> tuple[str, dict[str, Any]]:
    """Detail and members of the problem: places, and at each what is wrong there.

    Args:
        error: As FastAPI found it.
    """
    reasons = {_place(found): _reason(found["type"]) for found in error.errors()}
    return _detail(error), {"parameters": sorted(reasons), "reasons": dict(sorted(reasons.items()))}


def _detail(error: RequestValidationError) -> str:
    # FastAPI parses what is said to be JSON, and leaves all else as it came.
    if isinstance(error.body, bytes):
        return NOT_SAID_TO_BE_JSON
    kinds = {found["type"] for found in error.errors()}
    return NOT_JSON if "json_invalid" in kinds else DIFFERENT


def _place(found: Mapping[str, Any]) -> str:
    # The name of what should not be there is a client's own word too: where it stands is enough.
    place = found["loc"][:-1] if found["type"] == "extra_forbidden" else found["loc"]
    return ".".join(map(str, place))


def _reason(kind: str) -> str:
    return REASONS.get(kind, WRONG_TYPE if kind.endswith(("_type", "_parsing")) else OTHER)
