"""Pieces of the OpenAPI document that FastAPI cannot derive."""

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

from fastapi import FastAPI

from app import errors
from app.api.inference_schemas import InferenceRequest
from app.api.predict_document import ANSWER, PREVIEW_BODY, REQUEST_BODY
from app.api.problems import INTERNAL, MEDIA_TYPE, TYPE_PREFIX, ProblemType, problem_type
from app.api.response_headers import headers_of
from app.api.schemas import Problem

Responses = dict[int | str, dict[str, Any]]

IMAGE_PROBLEMS: Final = (
    errors.ArchiveTooLargeError,
    errors.UnsupportedFileError,
    errors.CorruptImageError,
    errors.NoUsableSeriesError,
    errors.MixedSeriesError,
    errors.MissingSlicesError,
    errors.IrregularGeometryError,
    errors.WrongModalityError,
    errors.NotAHeadError,
    errors.UnreadableImageError,
)
"""What can be wrong with an image."""


def problem_responses(*kinds: type[errors.NeuroFuseError]) -> Responses:
    """Document the problems a route can answer with, grouped by status, each with an example.

    Args:
        *kinds: Error classes; the fault of the service, 500, is added.
    """
    return document_problems(*map(problem_type, kinds), INTERNAL)


def document_problems(*kinds: ProblemType) -> Responses:
    """Document kinds of problems that no error class stands for."""
    problems = sorted(kinds, key=lambda kind: (kind.status, kind.code))
    return {
        int(status): _response(list(group))
        for status, group in groupby(problems, key=lambda kind: kind.status)
    }


def _response(kinds: Sequence[ProblemType]) -> dict[str, Any]:
    return {
        "description": " ".join(f"`{kind.code}`: {kind.title}" for kind in kinds),
        **headers_of([kind.code for kind in kinds]),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": f"#/components/schemas/{Problem.__name__}"},
                "examples": {kind.code: {"value": _example(kind)} for kind in kinds},
            }
        },
    }


def _example(kind: ProblemType) -> dict[str, Any]:
    return {
        "type": TYPE_PREFIX + kind.code,
        "title": kind.title,
        "status": int(kind.status),
        "detail": kind.meaning,
        "request_id": "0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90",
    }


def publish_document(app: FastAPI, *more: Callable[[dict[str, Any]], None]) -> None:
    """Complete the generated document: the shape of problems, and no trace of FastAPI's own error shapes.

    Args:
        app: With all its routes.
        *more: What else completes it, in place.
    """
    generate = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            for complete in (_complete, *more):
                complete(generate())
        return generate()

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _complete(document: dict[str, Any]) -> None:
    # Set here because FastAPI drops nulls on the way, and an example must show one.
    predict = document["paths"]["/predict"]["post"]
    predict["requestBody"] = REQUEST_BODY
    document["paths"]["/uploads"]["post"]["requestBody"] = PREVIEW_BODY
    predict["responses"]["200"]["content"]["application/json"]["example"] = ANSWER
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas[Problem.__name__] = Problem.model_json_schema()
    tensors = InferenceRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= tensors.pop("$defs") | {InferenceRequest.__name__: tensors}
    operations = (operation for path in document["paths"].values() for operation in path.values())
    asked: set[str] = set()
    for operation in operations:
        asked |= _named_in(operation.get("requestBody"), schemas)
        # Parameters that do not fit are `malformed-request`, 400, not FastAPI's 422.
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
    for name in schemas.keys() - asked:
        # A later release may say more: clients made from this document, some of which refuse what they do not know, are to bear with that.
        if schemas[name].get("additionalProperties") is False:
            del schemas[name]["additionalProperties"]


def _named_in(part: object, schemas: dict[str, Any]) -> set[str]:
    """The schemas that a part of the document refers to, and those that they refer to."""
    names = set(re.findall(r"'#/components/schemas/(\w+)'", str(part)))
    return names.union(*(_named_in(schemas[name], schemas) for name in names))
