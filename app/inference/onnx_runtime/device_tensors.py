"""Tensors that stay on a device from run to run, and runs that are captured as CUDA graphs."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnxruntime as ort
from jaxtyping import Float32

from app.inference.graph_contract import INPUTS, OUTPUTS
from app.inference.onnx_runtime.capturing import CAPTURES

_GRAPH_NUMBER: Final = "gpu_graph_id"
"""Of a run: which captured CUDA graph it is to be (onnxruntime_run_options_config_keys.h); 0 is ONNX Runtime's own."""
_NO_GRAPH: Final = -1

Shapes = tuple[tuple[int, ...], ...]
Feed = Mapping[str, Float32[np.ndarray, "B ..."]]


@dataclass
class _Bound:
    """Tensors of one shape, and how they are run.

    Attributes:
        binding: Of the tensors to the graph.
        inputs: Those that a run fills.
        options: Of a run; they name its CUDA graph, where there are any.
    """

    binding: ort.IOBinding
    inputs: dict[str, ort.OrtValue]
    options: ort.RunOptions | None

    def fill(self, feed: Feed) -> None:
        """Copy a batch to the device."""
        for name, tensor in feed.items():
            self.inputs[name].update_inplace(np.ascontiguousarray(tensor, np.float32))


class DeviceTensors:
    """Tensors that stay on a device, a set for each shape that is captured and one for the last other one; their addresses stay the same from run to run.

    A CUDA graph reads and writes the addresses that it was captured with, and ONNX Runtime keeps it for good (`CudaGraphSet` has no way to
    let go of one) with the thread that captured it (`CUDAExecutionProvider::PerThreadContext`). So tensors of captured shapes stay too,
    whatever fails; no more is captured than was asked for; and all runs have one thread. That holds without graphs as well: to every thread
    that runs a session belong handles of cuDNN and cuBLAS, made by its first run and lost with it, and those that work on cases come and go.

    Args:
        session: Theirs.
        device: `cuda` or `cpu`.
        number: Of the device.
        captured: Whether there will be CUDA graphs.
    """

    def __init__(self, session: ort.InferenceSession, device: str, number: int, *, captured: bool) -> None:
        self._session = session
        self._place = device, number
        self._captured: dict[Shapes, _Bound] = {}
        self._last: dict[Shapes, _Bound] = {}
        self._plain = _as_graph(_NO_GRAPH) if captured else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gpu-runs")

    def run(self, feed: Feed) -> list[Float32[np.ndarray, "B ..."]]:
        """Answer a batch, as `InferenceSession.run` does."""
        return self._thread.submit(self._run, feed).result()

    def capture(self, feed: Feed) -> None:
        """Capture a run as a CUDA graph, which all runs of this shape are from then on."""
        self._thread.submit(self._capture, feed).result()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _run(self, feed: Feed) -> list[Float32[np.ndarray, "B ..."]]:
        with CAPTURES.together():
            try:
                bound = self._of(feed)
                bound.fill(feed)
                self._session.run_with_iobinding(bound.binding, bound.options)
                answer: list[np.ndarray] = bound.binding.copy_outputs_to_cpu()
            except Exception:
                self._last.clear()  # where the device is full, all that can be given back is
                raise
            return answer

    def _capture(self, feed: Feed) -> None:
        with CAPTURES.together():
            bound = self._bound(feed)
            bound.fill(feed)
            self._session.run_with_iobinding(bound.binding, bound.options)
            for name, value in zip(OUTPUTS, bound.binding.get_outputs(), strict=True):
                bound.binding.bind_ortvalue_output(name, value)  # they have their addresses for good
        # A size has one shape, so its number is no other's.
        bound.options = _as_graph(len(feed[INPUTS[0]]))
        with CAPTURES.alone():
            self._session.run_with_iobinding(bound.binding, bound.options)
        self._captured[_shapes(feed)] = bound

    def _of(self, feed: Feed) -> _Bound:
        shapes = _shapes(feed)
        if shapes in self._captured:
            return self._captured[shapes]
        if shapes not in self._last:
            self._last.clear()
            self._last[shapes] = self._bound(feed)
        return self._last[shapes]

    def _bound(self, feed: Feed) -> _Bound:
        binding = self._session.io_binding()
        inputs = {
            name: ort.OrtValue.ortvalue_from_shape_and_type(tensor.shape, np.float32, *self._place)
            for name, tensor in feed.items()
        }
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, value)
        for name in OUTPUTS:
            binding.bind_output(name, *self._place)
        return _Bound(binding, inputs, self._plain)


def _shapes(feed: Feed) -> Shapes:
    return tuple(tensor.shape for tensor in feed.values())


def _as_graph(number: int) -> ort.RunOptions:
    options = ort.RunOptions()
    options.add_run_config_entry(_GRAPH_NUMBER, str(number))
    return options
