"""What lists are asked, in the query of an address: an empty parameter is an absent one, and none is given twice."""

from typing import Any

from fastapi import Request
from pydantic import model_validator

from app.errors import MalformedRequestError
from app.predictions.document import Document


class ListQuery(Document):
    """Parameters of a list; the members are those of a particular one."""

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value != ""}


async def once_each(request: Request) -> None:
    """A dependency of every list: FastAPI takes the last of several values, whoever meant all of them.

    Raises:
        MalformedRequestError: A parameter is given twice.
    """
    if len(request.query_params) < len(request.query_params.multi_items()):
        raise MalformedRequestError(
            "Expected every parameter of the query once; one occurs twice, and which is meant nobody can tell."
        )
