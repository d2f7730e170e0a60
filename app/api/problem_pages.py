"""What the `type` of a problem document leads to."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException

from app.api.openapi import document_problems
from app.api.problems import NOT_FOUND, PROBLEM_TYPES, TYPE_PREFIX, ProblemType
from app.api.schemas import ProblemKind

router = APIRouter(prefix=TYPE_PREFIX.rstrip("/"), tags=["problems"])


def _kind(kind: ProblemType) -> ProblemKind:
    return ProblemKind(
        type=TYPE_PREFIX + kind.code,
        code=kind.code,
        title=kind.title,
        status=kind.status,
        meaning=kind.meaning,
    )


@router.get("", operation_id="list_problems", summary="Every problem a client can meet")
async def list_problems() -> list[ProblemKind]:
    """By status, then code."""
    kinds = sorted(PROBLEM_TYPES.values(), key=lambda kind: (kind.status, kind.code))
    return [_kind(kind) for kind in kinds]


@router.get(
    "/{code}",
    operation_id="get_problem",
    summary="What a problem code means",
    responses=document_problems(NOT_FOUND),
)
async def get_problem(code: Annotated[str, Path(examples=["mixed-series"])]) -> ProblemKind:
    """The explanation behind a problem's `type`."""
    if code not in PROBLEM_TYPES:
        raise HTTPException(NOT_FOUND.status)
    return _kind(PROBLEM_TYPES[code])
