"""app.api.inference_body: numbers become arrays; all else is refused before it takes more room than it was sent in."""

import json
import tracemalloc
from typing import Any, Final

import numpy as np
import pytest

from app.api.inference_body import MOST_BESIDE, as_array, parse_request
from app.errors import MalformedRequestError
from app.predictions.tensors import MOST_CASES

SHAPES: Final = ((1, 4, 6, 5), (3,), (3,))
LENGTHY: Final = 200_000
"""Things in a body that are made long here: megabytes of Python objects."""


def array(data: Any, *shape: int) -> np.ndarray:
    tensor = {"name": "image", "datatype": "FP32", "shape": shape, "data": data}
    return as_array(parse_request(json.dumps({"inputs": [tensor]}).encode(), SHAPES).inputs[0])


def with_data(data: str) -> str:
    return f'{{"inputs": [{{"name": "image", "datatype": "FP32", "shape": [1], "data": {data}}}]}}'


def many(value: str) -> str:
    return f"[{','.join([value] * LENGTHY)}]"


def test_flat_and_nested_numbers_are_the_same_tensor() -> None:
    expected = np.arange(-12, 12, dtype=np.float32).reshape(2, 3, 4) / 8
    for data in (expected.ravel().tolist(), expected.tolist()):
        found = array(data, 2, 3, 4)
        assert found.dtype == np.float32
        assert np.array_equal(found, expected)


def test_whole_numbers_and_fractions_may_stand_together() -> None:
    assert array([1, 2.5, -3, 2**70], 4).tolist() == [1, 2.5, -3, 2.0**70]


def test_the_most_cases_that_there_may_be_fit_flat_and_nested_and_with_spaces() -> None:
    batch = [np.zeros((MOST_CASES, *shape), np.float32) for shape in SHAPES]
    for numbers in ([each.ravel().tolist() for each in batch], [each.tolist() for each in batch]):
        inputs = [
            {"name": str(index), "datatype": "FP32", "shape": each.shape, "data": data}
            for index, (each, data) in enumerate(zip(batch, numbers, strict=True))
        ]
        body = json.dumps({"inputs": inputs}, indent=1).encode()
        found = parse_request(body, SHAPES).inputs
        assert all(map(np.array_equal, map(as_array, found), batch))


@pytest.mark.parametrize(
    "data",
    [
        [1, 2, "3"], [1, 2, True], [1, 2, None], [1, 2, {}], [1, 2, [3]], [[1, 2], [3]], [[1], [2], ["3"]], [[1], 2, 3], [[], [], []],
        [], [1, 2], [1, 2, 3, 4], [1, 2, 10**400],
    ],
)  # fmt: skip
def test_what_is_not_numbers_alone_as_many_as_the_shape_says_is_refused(data: Any) -> None:
    with pytest.raises(MalformedRequestError, match="numbers alone"):
        array(data, 3)


@pytest.mark.parametrize(
    "body",
    [
        with_data(
            f'["{"a" * LENGTHY}"{", 0" * 1000}]'
        ),  # each number as wide as the text, in an array of texts
        with_data(many('""')),
        with_data(many("[]")),
        with_data(many("{}")),
        with_data(many("0")),
        f'{{"inputs": {many("0")}}}',  # each with words of its own on what is wrong with it
        f'{{"inputs": [], "outputs": {many("0")}}}',
        f'{{"inputs": [], "unknown": {many("[]")}}}',
    ],
    ids=["a long text", "texts", "lists", "objects", "numbers", "no inputs", "no outputs", "unknown"],
)
def test_what_is_refused_took_little_more_room_than_its_body(body: str) -> None:
    sent = body.encode()
    tracemalloc.start()
    try:
        with pytest.raises(MalformedRequestError):
            as_array(parse_request(sent, SHAPES).inputs[0])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(sent)


@pytest.mark.parametrize("member", ["inputs", "outputs"])
def test_a_list_of_wrong_things_is_refused_once_and_not_for_each_of_them(member: str) -> None:
    body = {"inputs": [], member: [0] * MOST_BESIDE}
    with pytest.raises(MalformedRequestError) as refusal:
        parse_request(json.dumps(body).encode(), SHAPES)
    assert refusal.value.fields["parameters"] == [member]


def test_a_member_that_may_be_absent_may_be_null() -> None:
    # As clients write it that have a field for each member.
    tensor = {"name": "image", "datatype": "FP32", "shape": [1], "data": [1.5], "parameters": None}
    asked = {"id": None, "parameters": None, "inputs": [tensor], "outputs": None}
    assert parse_request(json.dumps(asked).encode(), SHAPES).inputs[0].data == [1.5]
