from typing import Any

import numpy as np
import pytest

from app.errors import PackageInvalidError
from app.inference.graph_contract import (
    Signature,
    check_answer,
    check_tensors,
    input_shapes,
    output_shapes,
)
from tests.support.tiny_package import tiny_manifest

MANIFEST = tiny_manifest("gos", "gos", 1)
FLOAT = "tensor(float)"


def declared(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[str, Any]]:
    return {name: (FLOAT, ["B", *shape]) for name, shape in shapes.items()}


INPUTS, OUTPUTS = declared(input_shapes(MANIFEST)), declared(output_shapes(MANIFEST))


def good_answer(batch: int = 2) -> dict[str, np.ndarray]:
    answer = {name: np.zeros((batch, *shape), np.float32) for name, shape in output_shapes(MANIFEST).items()}
    answer["probabilities"][:, 0] = 1
    return answer


def test_the_tensors_are_those_of_the_design() -> None:
    assert input_shapes(MANIFEST) == {"image": (1, 16, 44, 36), "ehr_values": (15,), "ehr_missing": (15,)}
    assert output_shapes(MANIFEST) == {
        "probabilities": (5,),
        "heatmap": (4, 11, 9),
        "image_share": (4,),
        "embedding": (3,),
    }


@pytest.mark.parametrize("open_axis", ["H", None])
def test_an_axis_may_be_left_open(open_axis: str | None) -> None:
    check_tensors(INPUTS, OUTPUTS | {"heatmap": (FLOAT, ["B", 4, open_axis, 9])}, MANIFEST)


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("image", FLOAT, ["B", 1, 16, 44, 37]),
        ("image", FLOAT, ["B", 16, 44, 36]),
        ("image", FLOAT, [1, 1, 16, 44, 36]),
        ("image", "tensor(float16)", ["B", 1, 16, 44, 36]),
        ("ehr_values", "tensor(double)", ["B", 15]),
        ("ehr_missing", FLOAT, ["B", 14]),
        ("ehr_missing", FLOAT, []),
    ],
)
def test_an_input_that_differs_is_named(name: str, kind: str, shape: list[int | str]) -> None:
    inputs: Signature = INPUTS | {name: (kind, shape)}
    with pytest.raises(PackageInvalidError, match=f"tensor {name} should be"):
        check_tensors(inputs, OUTPUTS, MANIFEST)


@pytest.mark.parametrize("name", list(OUTPUTS))
def test_a_missing_output_is_refused(name: str) -> None:
    with pytest.raises(PackageInvalidError, match="should have tensors"):
        check_tensors(INPUTS, {other: OUTPUTS[other] for other in OUTPUTS if other != name}, MANIFEST)


def test_a_good_answer_passes() -> None:
    check_answer(good_answer(), 2, MANIFEST)


@pytest.mark.parametrize("name", list(OUTPUTS))
def test_an_answer_for_another_number_of_cases_is_refused(name: str) -> None:
    with pytest.raises(PackageInvalidError, match=f"output {name} should be"):
        check_answer(good_answer() | {name: good_answer(3)[name]}, 2, MANIFEST)


@pytest.mark.parametrize("name", list(OUTPUTS))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_answer_that_is_not_finite_is_refused(name: str, bad: float) -> None:
    answer = good_answer()
    answer[name].flat[-1] = bad
    with pytest.raises(PackageInvalidError, match=f"output {name} is not finite"):
        check_answer(answer, 2, MANIFEST)


@pytest.mark.parametrize("name", ["probabilities", "heatmap", "image_share"])
@pytest.mark.parametrize("bad", [-0.01, 1.01])
def test_a_share_outside_0_to_1_is_refused(name: str, bad: float) -> None:
    answer = good_answer()
    answer[name].flat[-1] = bad
    with pytest.raises(PackageInvalidError, match=f"output {name} should lie"):
        check_answer(answer, 2, MANIFEST)


def test_probabilities_that_do_not_add_up_are_refused() -> None:
    answer = good_answer()
    answer["probabilities"][1, 0] = 0.9
    with pytest.raises(PackageInvalidError, match="add up to 1"):
        check_answer(answer, 2, MANIFEST)
