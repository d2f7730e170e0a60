"""app.predictions.tensors: what can be known wrong without knowing the case is refused before the graph sees it."""

from pathlib import Path

import numpy as np
import pytest

from app.errors import MalformedRequestError
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.model_package.store import ModelStore
from app.predictions.tensors import MOST_CASES, Tensor, answer_tensors


@pytest.fixture(scope="module")
def predictor(tiny_store: Path) -> Predictor:
    package = ModelStore(tiny_store).load("gos")
    return Predictor(package, OnnxSession(package, threads=1))


def categorical(predictor: Predictor) -> list[int]:
    """Columns of the features that are one of several categories."""
    features = predictor.package.manifest.ehr.features
    return [column for column, feature in enumerate(features) if feature.kind == "categorical"]


def cases(predictor: Predictor, count: int) -> dict[str, Tensor]:
    manifest = predictor.package.manifest
    rng, features = np.random.default_rng(0), len(manifest.ehr.features)
    values = rng.normal(50, 10, (count, features)).astype(np.float32)
    values[:, categorical(predictor)] = 1
    return {
        "image": rng.normal(30, 20, (count, 1, *manifest.image.shape)).astype(np.float32),
        "ehr_values": values,
        "ehr_missing": np.zeros((count, features), np.float32),
    }


def test_each_case_of_a_batch_gets_the_answer_it_gets_alone(predictor: Predictor) -> None:
    together = answer_tensors(predictor, both := cases(predictor, 2))
    for index in range(2):
        alone = answer_tensors(predictor, {name: each[index : index + 1] for name, each in both.items()})
        for name, each in alone.items():
            assert together[name][index] == pytest.approx(each[0], abs=1e-5)


@pytest.mark.parametrize("count", [0, MOST_CASES + 1])
def test_no_case_and_too_many_cases_are_refused(predictor: Predictor, count: int) -> None:
    with pytest.raises(MalformedRequestError, match=f"1 to {MOST_CASES}"):
        answer_tensors(predictor, cases(predictor, count))


def test_tensors_of_unequal_length_are_refused(predictor: Predictor) -> None:
    tensors = cases(predictor, 2)
    with pytest.raises(MalformedRequestError, match="same number"):
        answer_tensors(predictor, {**tensors, "ehr_values": tensors["ehr_values"][:1]})


def test_a_tensor_without_axes_is_refused(predictor: Predictor) -> None:
    with pytest.raises(MalformedRequestError, match="same number"):
        answer_tensors(predictor, {**cases(predictor, 1), "ehr_values": np.ones((), np.float32)})


@pytest.mark.parametrize("name", ["image", "ehr_values"])
def test_numbers_that_are_not_finite_are_refused(predictor: Predictor, name: str) -> None:
    tensors = cases(predictor, 1)
    tensors[name].flat[0] = np.nan
    with pytest.raises(MalformedRequestError, match="finite"):
        answer_tensors(predictor, tensors)


@pytest.mark.parametrize("index", [-1, 0.5, 2, 1e30])
def test_what_is_the_number_of_no_category_is_refused_where_the_feature_is_known(
    predictor: Predictor, index: float
) -> None:
    tensors, column = cases(predictor, 2), categorical(predictor)[0]
    tensors["ehr_values"][1, column] = index
    with pytest.raises(MalformedRequestError, match="categories of sex, 0 to 1"):
        answer_tensors(predictor, tensors)
    tensors["ehr_missing"][1, column] = 1
    answer_tensors(predictor, tensors)
