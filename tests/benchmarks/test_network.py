"""The measurement of the network alone: both graphs answer alike, on one thread and on all."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.cpus import usable_cpus
from benchmarks.network import Network, compared

pytestmark = pytest.mark.torch

SIZE = (1, 2, 4, 5, 6)


def test_both_graphs_of_a_network_are_timed_and_answer_alike(tmp_path: Path) -> None:
    rng, file = np.random.default_rng(0), tmp_path / "small.onnx"
    weight = numpy_helper.from_array(rng.normal(size=(3, 2, 3, 3, 3)).astype(np.float32), "w")
    ends = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", SIZE), ("y", None))
    )
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])], "small", [next(ends)], [*ends], [weight]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), file)
    network = Network("small", file, {"x": rng.normal(size=SIZE).astype(np.float32)})
    table = compared([network], rounds=3)
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    assert columns[1] == [str(count) for count in sorted({1, usable_cpus()})]
    assert all(float(cell) < 1e-5 for cell in columns[-1])
    assert all(cell.endswith(" x") for cell in columns[-2])
