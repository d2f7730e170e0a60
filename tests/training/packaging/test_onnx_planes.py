"""training.packaging.onnx_planes: the numbers stay what they were, whatever the convolution; what cannot be rewritten stays whole."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from training.packaging.onnx_planes import convolve_by_planes

pytestmark = pytest.mark.torch  # the rewriter comes with the extra [training]

Array = np.ndarray[Any, Any]
CHANNELS, OUTPUTS = 3, 4
ANY_VOLUME = ("batch", "channels", "depth", "height", "width")


def _graph(
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    *,
    relu: bool = False,
    bias: bool = True,
    **attributes: Any,
) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    channels = CHANNELS // attributes.get("group", 1)
    weights = {
        "w": rng.normal(size=(OUTPUTS, channels, *kernel)).astype(np.float32),
        "b": rng.normal(size=OUTPUTS).astype(np.float32),
    }
    conv = helper.make_node("Conv", ["x", "w", "b"] if bias else ["x", "w"], ["c"], **attributes)
    nodes = [conv, helper.make_node("Relu" if relu else "Identity", ["c"], ["y"])]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", CHANNELS, *size])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ANY_VOLUME)
    stored = [numpy_helper.from_array(array, name) for name, array in weights.items() if bias or name == "w"]
    graph = helper.make_graph(nodes, "one", [image], [out], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _answer(model: onnx.ModelProto, x: Array, output: str = "y") -> Array:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (answer,) = session.run([output], {"x": x})
    found: Array = answer
    return found


def _rewritten(model: onnx.ModelProto, file: Path) -> onnx.ModelProto:
    onnx.save(model, file)
    convolve_by_planes(file)
    found = onnx.load(file)
    onnx.checker.check_model(found, full_check=True)
    return found


def _dimensions(model: onnx.ModelProto) -> list[int]:
    """Of the kernels of its convolutions."""
    weights = {one.name: len(one.dims) - 2 for one in model.graph.initializer}
    return [weights[node.input[1]] for node in model.graph.node if node.op_type == "Conv"]


class Case(NamedTuple):
    """A convolution and what it is given."""

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    relu: bool
    bias: bool
    batch: int


CASES = st.builds(
    Case,
    size=st.tuples(*[st.integers(3, 7)] * 3),
    kernel=st.tuples(st.integers(2, 3), st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(*[st.integers(1, 3)] * 3),
    pads=st.tuples(*[st.integers(0, 2)] * 6),
    relu=st.booleans(),
    bias=st.booleans(),
    batch=st.integers(1, 3),
)


@settings(max_examples=40)
@given(case=CASES)
def test_the_numbers_are_those_of_the_volume(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    model = _graph(
        case.size, case.kernel, relu=case.relu, bias=case.bias, strides=case.strides, pads=case.pads
    )
    x = np.random.default_rng(1).normal(size=(case.batch, CHANNELS, *case.size)).astype(np.float32)
    found = _rewritten(model, tmp_path_factory.mktemp("planes") / "model.onnx")
    assert _dimensions(found) == [2]
    np.testing.assert_allclose(_answer(found, x), _answer(model, x), atol=1e-5)


def test_a_relu_stays_beside_its_convolution_so_that_the_runtime_does_both_at_once(tmp_path: Path) -> None:
    found = _rewritten(_graph((4, 4, 4), (3, 3, 3), relu=True), tmp_path / "model.onnx")
    kinds = [node.op_type for node in found.graph.node if node.op_type != "Constant"]
    assert kinds[kinds.index("Conv") + 1] == "Relu"
    assert Counter(kinds)["Relu"] == 1


def test_a_convolution_whose_result_is_needed_twice_keeps_its_relu_outside(tmp_path: Path) -> None:
    model = _graph((4, 4, 4), (3, 3, 3), relu=True)
    model.graph.node.append(helper.make_node("Identity", ["c"], ["raw"]))
    model.graph.output.append(helper.make_tensor_value_info("raw", TensorProto.FLOAT, ANY_VOLUME))
    x = np.random.default_rng(1).normal(size=(1, CHANNELS, 4, 4, 4)).astype(np.float32)
    found = _rewritten(model, tmp_path / "model.onnx")
    assert _dimensions(found) == [2]
    np.testing.assert_allclose(_answer(found, x), np.maximum(_answer(found, x, "raw"), 0))
    np.testing.assert_allclose(_answer(found, x, "raw"), _answer(model, x, "raw"), atol=1e-5)


def test_two_convolutions_may_share_their_weights(tmp_path: Path) -> None:
    model = _graph((4, 4, 4), (3, 3, 3), relu=True, pads=[1] * 6)
    model.graph.node.extend(
        [
            helper.make_node("Neg", ["x"], ["z"]),
            helper.make_node("Conv", ["z", "w", "b"], ["d"], pads=[1] * 6),
            helper.make_node("Relu", ["d"], ["raw"]),
        ]
    )
    model.graph.output.append(helper.make_tensor_value_info("raw", TensorProto.FLOAT, ANY_VOLUME))
    x = np.random.default_rng(1).normal(size=(2, CHANNELS, 4, 4, 4)).astype(np.float32)
    found = _rewritten(model, tmp_path / "model.onnx")
    assert _dimensions(found) == [2, 2]
    for output in ("y", "raw"):
        np.testing.assert_allclose(_answer(found, x, output), _answer(model, x, output), atol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "attributes"),
    [
        pytest.param((1, 3, 3), {}, id="one plane deep"),
        pytest.param((3, 3, 3), {"group": 1, "dilations": [2, 1, 1]}, id="dilated"),
        pytest.param((3, 3, 3), {"auto_pad": "SAME_UPPER"}, id="padded by a rule"),
    ],
)
def test_others_are_left_as_they_are(
    kernel: tuple[int, ...], attributes: dict[str, Any], tmp_path: Path
) -> None:
    found = _rewritten(_graph((6, 5, 4), kernel, **attributes), tmp_path / "model.onnx")
    assert _dimensions(found) == [3]


def test_a_grouped_one_is_left_as_it_is(tmp_path: Path) -> None:
    model = _graph((4, 4, 4), (3, 3, 3))
    (weight,) = (one for one in model.graph.initializer if one.name == "w")
    grouped = numpy_helper.to_array(weight)[:CHANNELS, :1].copy()
    weight.CopyFrom(numpy_helper.from_array(grouped, "w"))
    model.graph.node[0].CopyFrom(helper.make_node("Conv", ["x", "w"], ["c"], group=CHANNELS))
    assert _dimensions(_rewritten(model, tmp_path / "model.onnx")) == [3]
