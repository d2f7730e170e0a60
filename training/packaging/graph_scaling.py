"""The calibration inside an exported graph, changed in place: no weight of the network is touched."""

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import numpy_helper

from training.calibrate import Scaling
from training.cohort import CohortError

HEAD_BIAS: Final = "net.head.linear.bias"
"""Names in an exported graph: the head's bias, and the calibration that `ServingGraph` holds."""
SLOPE: Final = "slope"
INTERCEPT: Final = "intercept"


def rescale(path: Path, relative: Scaling) -> None:
    """Change the calibration inside an exported graph: its logits are multiplied and moved once more.

    Args:
        path: The graph, replaced.
        relative: logits * slope + intercept, of the logits as they were calibrated before.

    Raises:
        CohortError: The graph does not hold its calibration under the names that this program's export gives.
    """
    graph = onnx.load(path)
    known = {each.name: each for each in graph.graph.initializer}
    if not {SLOPE, HEAD_BIAS} <= set(known):
        raise CohortError(
            "expected a package exported by this program, whose graph names its calibration, found another; export the run again, or train anew"
        )

    def put(name: str, value: np.ndarray) -> None:
        dtype = numpy_helper.to_array(known[name]).dtype
        known[name].CopyFrom(numpy_helper.from_array(value.astype(dtype), name))

    slope = numpy_helper.to_array(known[SLOPE]).astype(np.float64) * relative.slope
    put(SLOPE, slope)
    if INTERCEPT in known:
        before = numpy_helper.to_array(known[INTERCEPT]).astype(np.float64)
        put(INTERCEPT, before * relative.slope + relative.intercept)
    else:  # grades were exported with a temperature alone: what moves their logits is the head's own bias
        bias = numpy_helper.to_array(known[HEAD_BIAS]).astype(np.float64)
        put(HEAD_BIAS, bias + relative.intercept / slope)
    onnx.save(graph, path)
