"""A graph that ends the process it is opened in: ONNX Runtime folds constants while it opens one, and processors cannot do every division."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.model_package.package import MODEL, open_package, seal


def make_deadly(folder: Path) -> None:
    """Change a package's graph, and seal it again: the quotient of int64's least number and -1 is no int64, which x86 tells by SIGFPE."""
    package = open_package(folder)
    model = onnx.load_model(folder / MODEL)
    last = next(node for node in model.graph.node if "probabilities" in node.output)
    last.output[0] = "sound"
    for name, value in (("least", np.iinfo(np.int64).min), ("minus_one", -1)):
        model.graph.initializer.append(numpy_helper.from_array(np.array([value]), name))
    model.graph.node.extend(
        (
            helper.make_node("Div", ["least", "minus_one"], ["quotient"]),
            helper.make_node("Cast", ["quotient"], ["added"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["sound", "added"], ["probabilities"]),
        )
    )
    onnx.save_model(model, folder / MODEL)
    seal(folder, package.manifest)
