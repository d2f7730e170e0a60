"""Tensors in, tensors out: the graph of a package asked by a client that has done the reading itself.

Nothing is read, judged or kept here: whoever sends tensors answers for the head, its geometry and the record's units. What can be
checked without knowing the case is checked before the graph sees it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32

from app.ehr.schema import Feature
from app.errors import MalformedRequestError
from app.inference.graph_contract import INPUTS, input_shapes
from app.inference.predictor import Predictor

MOST_CASES: Final = 16
"""Cases of one request; more would hold the graph for longer than others should wait."""

Tensor = Float32[np.ndarray, "B ..."]


def answer_tensors(predictor: Predictor, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Run the graph once.

    Args:
        predictor: Of the package.
        tensors: `image` [B, 1, D, H, W] HU or raw intensity on the model grid, `ehr_values` [B, F], `ehr_missing` [B, F] of 0 and 1.

    Returns:
        The graph's outputs by name, each with B cases.

    Raises:
        MalformedRequestError: A tensor is absent, unknown, of another shape, or not finite, or a category is none.
        OverloadedError: The device has no memory left.
        NotReadyError: The runtime failed.
    """
    promised = input_shapes(predictor.package.manifest)
    if set(tensors) != set(promised):
        raise MalformedRequestError(
            f"Expected the tensors {', '.join(INPUTS)}, each once; send these and no others."
        )
    cases = _cases(tensors.values())
    for name, shape in promised.items():
        _check(name, tensors[name], (cases, *shape))
    missing = tensors["ehr_missing"]
    if not np.isin(missing, (0, 1)).all():
        raise MalformedRequestError(
            "Expected ehr_missing to hold 1 where a feature is missing and 0 elsewhere."
        )
    # The graph was exported with 0 under every missing flag; another number there must not change the answer.
    values = np.where(missing == 1, np.float32(0), tensors["ehr_values"])
    for feature, column in zip(predictor.package.manifest.ehr.features, values.T, strict=True):
        if feature.kind == "categorical":
            _check_category(feature, column)
    return predictor.session.run(tensors["image"], values, missing).tensors()


def _cases(tensors: Iterable[Tensor]) -> int:
    """How many there are, the same in every tensor."""
    first, *others = (len(tensor) if tensor.ndim else 0 for tensor in tensors)
    if set(others) != {first} or not 1 <= first <= MOST_CASES:
        raise MalformedRequestError(
            f"Expected the same number of cases in every tensor, 1 to {MOST_CASES}, as their first axis.",
            limit=MOST_CASES,
        )
    return first


def _check(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tensor.shape != shape:
        raise MalformedRequestError(
            f"Expected tensor {name} of shape {list(shape)}, found {list(tensor.shape)}; the metadata of the model names the axes."
        )
    if not np.isfinite(tensor).all():
        raise MalformedRequestError(f"Expected finite numbers in tensor {name}; it holds others.")


def _check_category(feature: Feature, column: Tensor) -> None:
    """The graph would take another number for the category that is nearest."""
    last = len(feature.categories) - 1
    if not np.isin(column, range(last + 1)).all():
        raise MalformedRequestError(
            f"Expected ehr_values to hold the number of one of the categories of {feature.name}, 0 to {last}, in the manifest's order; "
            "it holds another number. Where the feature is not known, set ehr_missing to 1."
        )
