"""The serving graph as one ONNX file, weights inside, with a dynamic batch axis (design of the package format)."""

import logging
import warnings
from pathlib import Path
from typing import Literal

import onnx
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from onnxruntime.transformers.float16 import convert_float_to_float16

from training.networks.serving_graph import ServingGraph

Precision = Literal["float32", "float16"]
"""Of the arithmetic inside a graph; what enters and leaves it is float32 in any case."""
OPSET = 20
INPUTS = ("image", "ehr_values", "ehr_missing")
OUTPUTS = ("probabilities", "heatmap", "image_share", "embedding")


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

    Half the memory and, on a GPU with tensor cores, a multiple of the speed; on a CPU it is slower. The largest numbers inside are Hounsfield
    units, some thousands, and float16 reaches 65,504.

    Args:
        path: As `write_onnx` left it; replaced.
    """
    onnx.save_model(convert_float_to_float16(onnx.load_model(path), keep_io_types=True), path)
