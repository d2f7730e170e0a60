"""The one door to ONNX Runtime: opens a package's graph, proves that it is what the manifest says, and runs it.

ONNX Runtime falls back to the CPU in silence, at load where the GPU's libraries are absent (onnxruntime#23372) and
again inside `run` when a provider fails. Both are made visible here: the first is refused or recorded, the second is
switched off.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
import structlog
from jaxtyping import Float32
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from app.cpus import usable_cpus
from app.errors import NotReadyError, OverloadedError, PackageInvalidError
from app.inference.capturing import CAPTURES
from app.inference.graph_contract import INPUTS, OUTPUTS, blank_inputs, check_answer, check_tensors
from app.inference.graph_session import Features, Images, RawOutputs
from app.inference.lost_device import takes_the_device
from app.inference.ticket import RETRY_AFTER_S
from app.model_package.package import Package

ort.disable_telemetry_events()  # see `app.inference`; where that is not heeded (Windows), this is
Provider = Literal["cpu", "cuda", "tensorrt"]

_CPU = "CPUExecutionProvider"
# float32 as on the CPU, where the golden answers were made: TF32 keeps 10 bits of mantissa and would move them by 1e-3.
# HEURISTIC: an exhaustive cuDNN search costs hundreds of milliseconds at every new batch size (onnxruntime#19838).
_CUDA = ("CUDAExecutionProvider", {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"})
# TensorRT has no such option, and takes TF32 unless its environment forbids it (onnxruntime#26029): see `_prepare_for_gpu`.
_TENSORRT = ("TensorrtExecutionProvider", {"trt_fp16_enable": "0", "trt_int8_enable": "0"})

_CHAINS: Mapping[Provider, Sequence[tuple[str, dict[str, str]]]] = MappingProxyType(
    {
        "cpu": ((_CPU, {}),),
        "cuda": (_CUDA, (_CPU, {})),
        "tensorrt": (_TENSORRT, _CUDA, (_CPU, {})),  # what TensorRT cannot run goes to CUDA, then to the CPU
    }
)

_ORT_ERRORS: tuple[type[Exception], ...] = tuple(
    kind for kind in vars(ort_errors).values() if isinstance(kind, type) and issubclass(kind, Exception)
)
"""ONNX Runtime's errors share no base class below Exception."""
_OUT_OF_MEMORY = ("allocate memory", "out of memory", "alloc_failed")
"""How the arena, CUDA, and cuDNN or cuBLAS say it."""
_DEVICE_FAILED = ("cuda failure", "cublas failure", "cudnn failure")
"""How a provider says that not the graph is at fault (onnxruntime/core/providers/cuda/cuda_call.cc)."""
_GRAPH_NUMBER = "gpu_graph_id"
"""Of a run: which captured CUDA graph it is to be (onnxruntime_run_options_config_keys.h); 0 is ONNX Runtime's own."""
_NO_GRAPH = -1

Shapes = tuple[tuple[int, ...], ...]
Feed = Mapping[str, Float32[np.ndarray, "B ..."]]
_RUN_ERRORS: tuple[type[Exception], ...] = (*_ORT_ERRORS, MemoryError, RuntimeError)
"""IO binding says the same as a plain RuntimeError."""

log = structlog.stdlib.get_logger(__name__)


class OnnxSession:
    """A graph that is loaded and known to fit its manifest.

    Args:
        package: The package whose graph to load.
        provider: Execution provider to run on.
        threads: Threads within one operator; by default the CPUs this process may use.
        device: Number of the GPU; means nothing on the CPU.
        captured: Sizes of the batches whose kernels are captured now and launched together from then on (CUDA graphs); other sizes are
            run without. On a CPU there is nothing to capture. Where this is given, be it empty, and on a GPU in any case, the tensors of
            captured sizes and of the last other one stay on the device from run to run, which saves allocations and the copy of what does
            not change, and all runs have one thread.

    Attributes:
        provider: Name of the execution provider that ONNX Runtime really uses, such as `CPUExecutionProvider`.

    Raises:
        NotReadyError: The provider asked for is not the one in use, cannot be had, or failed to capture.
        OverloadedError: The device has no memory left for the graph, or for what is captured.
        PackageInvalidError: The file is no ONNX graph, or its tensors are not those of the manifest.
    """

    def __init__(
        self,
        package: Package,
        *,
        provider: Provider = "cpu",
        threads: int | None = None,
        device: int = 0,
        captured: Sequence[int] | None = None,
    ) -> None:
        self._manifest = package.manifest
        if provider != "cpu":
            _prepare_for_gpu()
        chain = _chain(provider, device, captured=bool(captured))
        with CAPTURES.together():
            self._session = _open(package.model_path, chain, threads or usable_cpus())
        self.provider: str = self._session.get_providers()[0]
        if self.provider != (asked := _CHAINS[provider][0][0]):
            raise NotReadyError(
                f"{asked} was asked for and ONNX Runtime {ort.__version__} runs on {self.provider} "
                f"(available: {', '.join(ort.get_available_providers())}); install the GPU extra and what else it needs, or ask for cpu. "
                "Standard error says which library is absent",
                provider=self.provider,
            )
        check_tensors(
            _signature(self._session.get_inputs()), _signature(self._session.get_outputs()), package.manifest
        )
        on_cpu = self.provider == _CPU
        place = ("cpu", 0) if on_cpu else ("cuda", device)
        stays = captured is not None or not on_cpu
        self._buffers = _Buffers(self._session, *place, captured=bool(captured)) if stays else None
        self._capture(captured or ())

    def run(self, image: Images, values: Features, missing: Features) -> RawOutputs:
        """Answer a batch, as `GraphSession.run` does; where the device has no memory left for it, with `OverloadedError`."""
        feed = dict(zip(INPUTS, (image, values, missing), strict=True))
        try:
            run = self._run_anew if self._buffers is None else self._buffers.run
            probabilities, heatmap, image_share, embedding = run(feed)
        except _RUN_ERRORS as error:
            raise _named(error) from error
        answer = RawOutputs(probabilities, heatmap, image_share, embedding)
        check_answer(answer.tensors(), len(image), self._manifest)
        return answer

    def close(self) -> None:
        """End its thread, if it has one, and give back what it holds on a device; elsewhere memory goes with the object."""
        if self._buffers is not None:
            self._buffers.close()
            with CAPTURES.together():  # cudaFree
                self._buffers = self._session = None

    def _run_anew(self, feed: Feed) -> list[Float32[np.ndarray, "B ..."]]:
        answer: list[np.ndarray] = self._session.run(list(OUTPUTS), feed)
        return answer

    def _capture(self, sizes: Sequence[int]) -> None:
        if self._buffers is None:
            return
        try:
            for size in sizes:
                self._buffers.capture(dict(zip(INPUTS, blank_inputs(self._manifest, size), strict=True)))
        except _RUN_ERRORS as error:
            self.close()
            raise _named(error) from error


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


class _Buffers:
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


@cache
def _prepare_for_gpu() -> None:
    """Forbid TF32 to every library of NVIDIA, and load those that came as wheels: in their folders the loader of the system does not look.

    Where there are none, its own are taken (onnxruntime.ai, CUDA Execution Provider, "Preload DLLs"). For a CPU package of ONNX Runtime
    there is nothing to load.
    """
    os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    # It prints which libraries are absent; on standard output commands answer.
    with redirect_stdout(sys.stderr):
        ort.preload_dlls()


def _chain(provider: Provider, device: int, *, captured: bool) -> list[tuple[str, dict[str, str]]]:
    """The providers to try, on one device; ONNX Runtime refuses a device for the CPU."""
    available = ort.get_available_providers()
    more = {_CUDA[0]: {"enable_cuda_graph": "1"}} if captured else {}
    return [
        (name, options if name == _CPU else {**options, **more.get(name, {}), "device_id": str(device)})
        for name, options in _CHAINS[provider]
        if name in available
    ]


def _open(model: Path, chain: list[tuple[str, dict[str, str]]], threads: int) -> ort.InferenceSession:
    try:
        # Without its own second try on the CPU, of which it also tells on standard output.
        return ort.InferenceSession(str(model), _options(threads), providers=chain, enable_fallback=0)
    except _RUN_ERRORS as error:
        raise _unopened(model, chain[0][0], error) from error


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 3  # errors only; warnings about shape inference tell an operator nothing
    # Idle threads sleep: spinning would burn the CPUs that read the next image.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _signature(nodes: Sequence[Any]) -> dict[str, tuple[str, list[int | str | None]]]:
    return {node.name: (node.type, node.shape) for node in nodes}


def _unopened(
    model: Path, provider: str, error: Exception
) -> NotReadyError | OverloadedError | PackageInvalidError:
    """Tell a full device and one that is not there from a graph that is at fault."""
    # On the CPU ONNX Runtime says the same of a graph that asks for an absurd buffer.
    if isinstance(error, MemoryError) or (provider != _CPU and _is_full(error)):
        return OverloadedError(
            f"the device has no memory left for {model.name}; unload a package that is not needed, or make room on the device"
        )
    # What a provider raises while it is made has no class of its own.
    failed = type(error) is RuntimeError or any(sign in str(error).lower() for sign in _DEVICE_FAILED)
    if provider != _CPU and failed:
        log.error(
            "provider-failed", provider=provider, detail=str(error)
        )  # before any case: it can tell of the machine only
        return NotReadyError(
            f"{provider} was asked for and ONNX Runtime {ort.__version__} failed to begin with it; the log says why "
            "(`provider-failed`). Check driver, libraries and NEUROFUSE_DEVICES, or ask for cpu",
            provider=provider,
        )
    return PackageInvalidError(
        f"{model.name} cannot be opened by ONNX Runtime {ort.__version__}: {type(error).__name__}"
    )


def _is_full(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _OUT_OF_MEMORY)


def _named(error: Exception) -> NotReadyError | OverloadedError:
    """Tell a full device, which passes, from a broken one; ONNX Runtime says either only in its message."""
    if _is_full(error):
        return OverloadedError(
            "the device has no memory left for this batch; try again with less at the same time",
            retry_after_s=RETRY_AFTER_S,
        )
    if takes_the_device(error):
        return NotReadyError(
            "the GPU is lost to this process; start the service anew", retry_after_s=RETRY_AFTER_S
        )
    return NotReadyError(
        f"ONNX Runtime failed with {type(error).__name__}; restart the service if this persists",
        retry_after_s=RETRY_AFTER_S,
    )
