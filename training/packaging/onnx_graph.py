"""The serving graph as one ONNX file, weights inside, with a dynamic batch axis (design of the package format)."""

import logging
import warnings
from pathlib import Path
from typing import Final

import onnx
import onnx_ir as ir
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, RemoveUnusedNodesPass
from onnxruntime.transformers.float16 import convert_float_to_float16

from app.inference.graph_contract import INPUTS, OUTPUTS
from training.networks.serving_graph import ServingGraph

OPSET = 20
THERE_AND_BACK: Final = (ir.DataType.FLOAT, ir.DataType.FLOAT16, ir.DataType.FLOAT)
LAYERS: Final = frozenset({"Conv", "Gemm", "MatMul"})
"""Operators with which a network begins; what stands before them brings its inputs to numbers of order 1."""


def write_onnx(graph: ServingGraph, shape: tuple[int, int, int], features: int, path: Path) -> None:
    """Export a graph.

    Args:
        graph: In evaluation mode.
        shape: (D, H, W) of the model grid.
        features: F, columns of the record.
        path: The file to write.
    """
    # Two rows, not one: the exporter would take a batch of one for a constant.
    example = (torch.zeros(2, 1, *shape), torch.zeros(2, features), torch.ones(2, features))
    batch = torch.export.Dim("batch", min=1, max=64)
    # It warns that torchvision, whose operators no graph of ours has, is not installed.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    # Nothing is differentiated: traced without gradients, the same bytes come in four fifths of the time.
    with torch.no_grad(), warnings.catch_warnings():
        # torch 2.13 warns of itself: of its own use of an old name, and that three inputs share the axis `batch`.
        warnings.filterwarnings("ignore", ".*treespec, LeafSpec", FutureWarning)
        warnings.filterwarnings("ignore", ".*axis name.*will not be used", UserWarning)
        program = torch.onnx.export(
            graph,
            example,
            dynamo=True,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_shapes=({0: batch}, {0: batch}, {0: batch}),
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program; expected one with dynamo=True")
    # The exporter notes where in our sources each node was made: paths of this machine, and so perhaps a name, in a file that travels.
    ClearMetadataAndDocStringPass()(program.model)
    program.save(str(path), external_data=False)


def halve(path: Path) -> None:
    """Rewrite a graph in half precision: weights and arithmetic in float16, inputs and outputs in float32 as before.

    Half the memory and, on a GPU with tensor cores, a multiple of the speed; on a CPU it is slower. What comes before the first layer stays in
    float32, for float16 ends at 65,504: platelets per microlitre, raw values of an MR and the sum over its voxels go beyond.

    Args:
        path: As `write_onnx` left it; replaced.
    """
    whole = onnx.load_model(path)
    # What the exporter says of the types of weights: the conversion would say float16 of all, also of those that it leaves.
    weights = {each.name for each in whole.graph.initializer}
    for each in [each for each in whole.graph.value_info if each.name in weights]:
        whole.graph.value_info.remove(each)
    half = ir.from_proto(
        convert_float_to_float16(whole, keep_io_types=True, node_block_list=_before_the_first_layer(whole))
    )
    _leave_in_float32(half)
    ir.save(half, path)


def _before_the_first_layer(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes that read the graph's inputs and constants alone, and are no layer."""
    constants = {"", *(each.name for each in model.graph.initializer)}
    given, names = {each.name for each in model.graph.input}, []
    for node in model.graph.node:  # in the order of their running, as ONNX has it
        read = set(node.input) - constants
        if not read:
            constants |= set(node.output)
        elif read <= given and node.op_type not in LAYERS:
            given |= set(node.output)
            names.append(node.name)
    return names


def _leave_in_float32(half: ir.Model) -> None:
    """Take out every way from float32 to float16 and back, which the conversion puts between two nodes that it leaves alone."""
    for node in half.graph:
        back, middle = node.outputs[0], _cast(node)
        start = _cast(middle.producer()) if middle else None
        if not middle or not start or back.is_graph_output():
            continue
        if (start.dtype, middle.dtype, back.dtype) == THERE_AND_BACK:
            back.replace_all_uses_with(start)
    half.graph.sort()
    RemoveUnusedNodesPass()(half)


def _cast(node: ir.Node | None) -> ir.Value | None:
    """What a node casts; None for any other."""
    return node.inputs[0] if node is not None and node.op_type == "Cast" else None
