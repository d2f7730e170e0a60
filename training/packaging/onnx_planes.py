"""3D convolutions of an ONNX graph as 2D ones over the planes of a volume, which ONNX Runtime computes faster on a CPU.

Its direct kernels (MLAS, blocked by channels) are for 2D; of a 3D convolution it first copies every neighbourhood into a matrix, 27 numbers
for each voxel and channel of a 3 x 3 x 3 kernel, and is bound by memory from then on. The sum over a kernel's depth is a sum over channels:

    y[d] = sum_k W[k] * x[stride d + k]  =  [W[0] ... W[K - 1]] * [x[stride d] ; ... ; x[stride d + K - 1]]

with * in two dimensions, so K planes side by side as channels give the same numbers, but for the order in which they are added.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TypeAlias

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass
from onnxscript.rewriter import MatchContext, rewrite
from onnxscript.rewriter.pattern import MatchResult, RewriteRule

VOLUME: Final = 5
"""Axes of what a 3D convolution reads: batch, channels, depth, height, width."""
DEPTH_FIRST: Final = (0, 2, 1, 3, 4)
"""Batch, depth, channels, height, width, and back again."""
Operators: TypeAlias = Any
"""What makes nodes: it has a method for every operator, none of them declared."""


def convolve_by_planes(path: Path) -> None:
    """Rewrite every 3D convolution deeper than one plane; grouped and dilated ones stay.

    Args:
        path: As `training.packaging.onnx_graph.write_onnx` left it; replaced.
    """
    model = ir.load(path)
    # First those whose result is rectified, so that the runtime can do both at once.
    for relu in (True, False):
        ShapeInferencePass()(model)
        rule = ConvolutionByPlanes(relu=relu)
        model = rewrite(model, [RewriteRule(rule.pattern, rule.rewrite, rule.check)])
    ir.save(model, path)


class Convolution(NamedTuple):
    """A 3D convolution, axes in the order (depth, height, width).

    Attributes:
        kernel: Its extent.
        strides: Between neighbouring outputs.
        before: Zeros before the first plane, row and column.
        after: Zeros after the last ones.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @classmethod
    def of(cls, node: ir.Node, kernel: Sequence[int]) -> Self:
        """Read the attributes of a Conv, with the defaults of the operator."""
        axes, attributes = len(kernel), node.attributes
        pads = attributes.get_ints("pads", [0] * 2 * axes)
        strides = attributes.get_ints("strides", [1] * axes)
        return cls(tuple(kernel), tuple(strides), tuple(pads[:axes]), tuple(pads[axes:]))

    def out(self, size: Sequence[int]) -> tuple[int, ...]:
        """Size of what comes out of a volume of a size."""
        every = zip(size, self.kernel, self.strides, self.before, self.after, strict=True)
        return tuple((n + low + high - k) // stride + 1 for n, k, stride, low, high in every)


class ConvolutionByPlanes:
    """The rule, in the three functions that `onnxscript.rewriter` asks for.

    Args:
        relu: Whether the convolutions are sought whose result goes into a Relu and nowhere else.
    """

    def __init__(self, *, relu: bool) -> None:
        self._relu = relu

    def pattern(self, op: Operators, x: ir.Value, weight: ir.Value) -> ir.Value:
        """Which nodes are meant."""
        y: ir.Value = op.Conv(x, weight, _allow_other_inputs=True, _outputs=["y"])
        if self._relu:
            y = op.Relu(y)
        return y

    def check(self, context: MatchContext, x: ir.Value, weight: ir.Value, y: ir.Value) -> MatchResult:  # noqa: ARG002
        """Whether they can be rewritten."""
        found, node = MatchResult(), _producer(y)
        if weight.const_value is None or weight.const_value.shape.rank() != VOLUME:
            return found.fail("not in three dimensions, or its weights are computed")
        if len(_size(x)) != VOLUME - 2:
            return found.fail("of a size that is not known")
        attributes = node.attributes
        dilated = any(each != 1 for each in attributes.get_ints("dilations", [1]))
        if dilated or attributes.get_int("group", 1) != 1:
            return found.fail("grouped or dilated")
        if attributes.get_string("auto_pad", "NOTSET") != "NOTSET" or weight.const_value.shape[2] == 1:
            return found.fail("padded by a rule, or one plane deep")
        return found

    def rewrite(self, op: Operators, x: ir.Value, weight: ir.Value, y: ir.Value) -> ir.Value:
        """The same by planes: from [B, C, D, H, W] by [B * D', K C, H, W] to [B, C', D', H', W']."""
        node, kernel = _producer(y), _array(weight)
        outputs, inputs, depth = kernel.shape[:3]
        conv = Convolution.of(node, kernel.shape[2:])
        size = _size(x)
        planes, rows, columns = conv.out(size)

        x = op.Transpose(x, perm=DEPTH_FIRST)
        if conv.before[0] or conv.after[0]:
            pads = [0, conv.before[0], 0, 0, 0, 0, conv.after[0], 0, 0, 0]
            x = op.Pad(x, op.Constant(value_ints=pads))
        taps = conv.strides[0] * np.arange(planes)[:, None] + np.arange(depth)
        x = op.Gather(x, op.initializer(ir.tensor(taps), f"{y.name}_taps"), axis=1)
        x = op.Reshape(x, op.Constant(value_ints=[-1, depth * inputs, *size[1:]]))
        flat = np.ascontiguousarray(kernel.transpose(0, 2, 1, 3, 4)).reshape(
            outputs, depth * inputs, *kernel.shape[3:]
        )
        x = op.Conv(
            x,
            op.initializer(ir.tensor(flat), f"{y.name}_weight"),
            *node.inputs[2:],
            pads=(*conv.before[1:], *conv.after[1:]),
            strides=conv.strides[1:],
        )
        if self._relu:
            x = op.Relu(x)
        x = op.Reshape(x, op.Constant(value_ints=[-1, planes, outputs, rows, columns]))
        volume: ir.Value = op.Transpose(x, perm=DEPTH_FIRST)
        return volume


def _producer(value: ir.Value) -> ir.Node:
    node = value.producer()
    if node is None:
        raise TypeError("expected the result of a Conv, found an input of the graph")
    return node


def _array(weight: ir.Value) -> np.ndarray[Any, Any]:
    if weight.const_value is None:
        raise TypeError("expected weights that are stored, found computed ones")
    return weight.const_value.numpy()


def _size(x: ir.Value) -> tuple[int, ...]:
    """Depth, height and width, as far as they are known."""
    return tuple(n for n in x.shape[2:] if isinstance(n, int)) if x.shape is not None else ()
