"""Why a job failed, as it is kept with it: what a problem document needs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from app.errors import NeuroFuseError


@dataclass(frozen=True)
class StoredProblem:
    """An error whose class may be gone when somebody asks.

    Attributes:
        code: Of the error.
        detail: Its words.
        fields: Its further members.
    """

    code: str
    detail: str
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, error: NeuroFuseError) -> Self:
        """What is kept of an error."""
        return cls(error.code, error.detail, error.fields)


class ProblemText(TypeDecorator[StoredProblem]):
    """JSON text with all three members."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: StoredProblem | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To text."""
        return None if value is None else json.dumps(asdict(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> StoredProblem | None:  # noqa: ARG002
        """From text."""
        if value is None:
            return None
        stored = json.loads(value)  # of a later release it may have more members
        return StoredProblem(stored["code"], stored["detail"], stored["fields"])
