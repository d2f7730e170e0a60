"""The body of an inference request: bounded by what its package can take, parsed, and made arrays.

Of two bytes of JSON, `[]`, a parser makes objects of a hundred. They are counted as bytes, before one of them is made.
"""

import math
from collections.abc import Collection
from itertools import accumulate, chain
from operator import mul
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from app.api.inference_schemas import InferenceRequest, TensorIn
from app.errors import MalformedRequestError
from app.predictions.tensors import MOST_CASES, Tensor

MOST_BESIDE: Final = 10_000
"""Of each sign in a request beside those of its tensors: names, shapes, parameters."""
_NUMBERS: Final[set[type]] = {int, float}
"""Exactly: true and false are no numbers of JSON."""


def parse_request(body: bytes, shapes: Collection[tuple[int, ...]]) -> InferenceRequest:
    """Parse a request, if it is not more than the package can take.

    Args:
        body: JSON.
        shapes: Of the inputs, without the batch axis.

    Raises:
        MalformedRequestError: It holds more, or is no request of the protocol.
    """
    _require_bounded(body, shapes)
    try:
        return InferenceRequest.model_validate_json(body)
    except ValidationError as error:
        # Places only: what stands there may be a patient's.
        found = {".".join(map(str, each["loc"])) for each in error.errors(include_input=False)}
        places = sorted(found)[:20]
        where = ", ".join(filter(None, places)) or "the body itself"
        # In the words too: of a problem, clients of the protocol show no member but `error`.
        raise MalformedRequestError(
            f"Expected a JSON object of the Open Inference Protocol with FP32 tensors; found another thing at: {where}.",
            parameters=places,
        ) from None


def as_array(tensor: TensorIn) -> Tensor:
    """The numbers of a tensor in its shape.

    Raises:
        MalformedRequestError: They are not numbers alone, ragged, too large, or not as many as the shape says.
    """
    values, kinds = tensor.data, _kinds(tensor.data)
    while kinds == {list} and len(set(map(len, values))) == 1:
        values = list(chain.from_iterable(values))
        kinds = _kinds(values)
    # Before NumPy sees them: of texts it would make an array that gives each the room of the longest.
    if not kinds <= _NUMBERS or len(values) != math.prod(tensor.shape):
        raise _not_the_numbers()
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold is found as not finite
            return np.array(values, np.float32).reshape(tensor.shape)
    except OverflowError:  # an integer that no float holds
        raise _not_the_numbers() from None


def _require_bounded(body: bytes, shapes: Collection[tuple[int, ...]]) -> None:
    numbers = sum(map(math.prod, shapes))
    lists = sum(sum(accumulate(shape[:-1], mul, initial=1)) for shape in shapes)
    most = {b",": MOST_CASES * numbers, b"[": MOST_CASES * lists, b"{": 0, b'"': 0}
    if any(body.count(sign) > count + MOST_BESIDE for sign, count in most.items()):
        raise MalformedRequestError(
            f"Expected tensors of numbers alone, flat or nested as `shape` says, of at most {MOST_CASES} cases; "
            "the request holds more numbers, lists or texts.",
            limit=MOST_CASES,
        )


def _kinds(values: list[Any]) -> set[type]:
    return set(map(type, values))


def _not_the_numbers() -> MalformedRequestError:
    return MalformedRequestError(
        "Expected `data` to be numbers alone, flat or nested, as many as `shape` says; one tensor differs."
    )
