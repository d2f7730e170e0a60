"""training.packaging.onnx_graph in half precision: what the inputs are measured in must not matter. The whole way is tested in tests/skew."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from training.packaging.onnx_graph import halve

pytestmark = pytest.mark.torch

VOXELS = 100_000
BEGINNING = """
<ir_version: 10, opset_import: ["" : 20]>
beginning (float[B, 2] record, float[B, N] image) => (float[B, 1] answer)
<float[2] mean = {250000, 140}, float[2] sd = {80000, 4}, int64[1] along = {1}, float[1] count = {100000}, float[3, 1] weight = {1, 1, 1}>
{
    centred = Sub (record, mean)
    standardised = Div (centred, sd)
    sum = ReduceSum <keepdims = 1> (image, along)
    average = Div (sum, count)
    both = Concat <axis = 1> (standardised, average)
    answer = MatMul (both, weight)
}
"""
"""A record with platelets per microlitre and sodium, and an image of so many voxels: neither fits into float16 before it is brought to order 1."""


def _halved(file: Path) -> onnx.ModelProto:
    model = onnx.parser.parse_model(BEGINNING)
    for number, node in enumerate(model.graph.node):
        node.name = f"node_{number}"
    # As the exporter does: the types of weights are stated once more.
    model.graph.value_info.append(onnx.helper.make_tensor_value_info("mean", onnx.TensorProto.FLOAT, [2]))
    onnx.save_model(model, file)
    halve(file)
    half = onnx.load_model(file)
    # Among others: every node stands behind those that it reads, which ONNX Runtime does not insist on.
    onnx.checker.check_model(half, full_check=True)
    return half


def test_numbers_beyond_float16_enter_a_graph_in_half_precision_as_they_are(tmp_path: Path) -> None:
    """By the reference evaluator, which computes in float16 where the graph says so; ONNX Runtime on a CPU does not."""
    half = _halved(tmp_path / "model.onnx")
    record = np.array([[60_000, 132], [250_000, 140], [450_000, 150]], np.float32)
    image = np.full((3, VOXELS), 2.0, np.float32)
    answers = ReferenceEvaluator(half).run(["answer"], {"record": record, "image": image})
    answer = np.asarray(next(iter(answers)))
    expected = ((record - [250_000, 140]) / [80_000, 4]).sum(axis=1) + 2
    np.testing.assert_allclose(answer[:, 0], expected, atol=0.01)
    assert answer.dtype == np.float32


def test_layers_are_in_half_precision(tmp_path: Path) -> None:
    weights = {each.name: each.data_type for each in _halved(tmp_path / "model.onnx").graph.initializer}
    assert weights["weight"] == onnx.TensorProto.FLOAT16
    assert weights["mean"] == onnx.TensorProto.FLOAT
