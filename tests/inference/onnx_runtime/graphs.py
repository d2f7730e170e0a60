"""Batches for a package's graph, and graphs that are spoilt on purpose."""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import helper, numpy_helper

from app.inference.graph_contract import input_shapes
from app.model_package.package import Package

Spoil = Callable[[Callable[[onnx.ModelProto], object]], Package]


def batch(package: Package, size: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    image, values, missing = input_shapes(package.manifest).values()
    return [
        rng.uniform(-100, 200, (size, *image)).astype(np.float32),
        rng.uniform(0, 100, (size, *values)).astype(np.float32),
        rng.integers(0, 2, (size, *missing)).astype(np.float32),
    ]


def ask_for_petabytes(graph: onnx.ModelProto) -> None:
    softmax = next(node for node in graph.graph.node if node.op_type == "Softmax")
    softmax.output[0] = "once"
    graph.graph.initializer.append(numpy_helper.from_array(np.array([10**15, 1, 1]), "often"))
    graph.graph.node.append(helper.make_node("Expand", ["once", "often"], ["repeated"]))
    graph.graph.node.append(
        helper.make_node("ReduceMean", ["repeated"], ["probabilities"], axes=[0], keepdims=0)
    )


WIDE_BYTES = 64 * 2**20


def takes_64_mb() -> onnx.ModelProto:
    """A graph whose only answer is a sum over so much."""
    size = numpy_helper.from_array(np.array([WIDE_BYTES // 4]), "size")
    nodes = [
        helper.make_node("Expand", ["x", "size"], ["wide"]),
        helper.make_node("ReduceSum", ["wide"], ["y"], keepdims=0),
    ]
    x, y = (
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("x", [1]), ("y", list[int]()))
    )
    graph = helper.make_graph(nodes, "wide", [x], [y], [size])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
