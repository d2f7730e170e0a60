"""Execution providers that answer on this machine: what a session does with a device is tried on each of them."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort

from app.errors import NeuroFuseError
from app.inference.onnx_runtime.providers import Provider, open_graph
from app.inference.self_test import PROBABILITY_TOLERANCE

GPUS: Final[dict[Provider, str]] = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_NOTHING: Final = (
    '<ir_version: 9, opset_import: ["" : 17]> nothing (float[1] a) => (float[1] b) { b = Identity(a) }'
)


@cache
def providers_here() -> tuple[Provider, ...]:
    """The CPU's, and those of a GPU where there is one that opens a graph."""
    found = {
        *ort.get_available_providers()
    }  # to ask for one that is not would prepare this process for a GPU
    gpus = [each for each, name in GPUS.items() if name in found]
    return ("cpu", *(each for each in gpus if _opens(each)))


def assert_same(provider: Provider, found: np.ndarray, expected: np.ndarray) -> None:
    """The same numbers: to the bit on a CPU, as near as a golden answer must be on a GPU."""
    atol = 0.0 if provider == "cpu" else PROBABILITY_TOLERANCE
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


def _opens(provider: Provider) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "nothing.onnx")
        onnx.save_model(onnx.parser.parse_model(_NOTHING), model)
        try:
            open_graph(model, provider, threads=1)
        except NeuroFuseError:
            return False
    return True
