"""Execution providers: what each is asked for with, and what has to be there before a GPU is."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import onnxruntime as ort

from app.errors import NotReadyError
from app.inference.onnx_runtime.faults import RUN_ERRORS, unopened

ort.disable_telemetry_events()  # see `app.inference`; where that is not heeded (Windows), this is
# What runs on the CPU takes its memory from one pool. By itself each session keeps as much as its largest batch ever took: of four packages,
# eight sessions, 5.1 GB where together they keep 1.5.
ort.create_and_register_allocator(
    ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT), None
)
Provider = Literal["cpu", "cuda", "tensorrt"]

CPU: Final = "CPUExecutionProvider"
# float32 as on the CPU, where the golden answers were made: TF32 keeps 10 bits of mantissa and would move them by 1e-3.
# HEURISTIC: an exhaustive cuDNN search costs hundreds of milliseconds at every new batch size (onnxruntime#19838).
_CUDA = ("CUDAExecutionProvider", {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"})
# TensorRT has no such option, and takes TF32 unless its environment forbids it (onnxruntime#26029): see `prepare_for_gpu`.
_TENSORRT = ("TensorrtExecutionProvider", {"trt_fp16_enable": "0", "trt_int8_enable": "0"})

_CHAINS: Mapping[Provider, Sequence[tuple[str, dict[str, str]]]] = MappingProxyType(
    {
        "cpu": ((CPU, {}),),
        "cuda": (_CUDA, (CPU, {})),
        "tensorrt": (_TENSORRT, _CUDA, (CPU, {})),  # what TensorRT cannot run goes to CUDA, then to the CPU
    }
)


@cache
def prepare_for_gpu() -> None:
    """Forbid TF32 to every library of NVIDIA, and load those that came as wheels: in their folders the loader of the system does not look.

    Where there are none, its own are taken (onnxruntime.ai, CUDA Execution Provider, "Preload DLLs"). For a CPU package of ONNX Runtime
    there is nothing to load.
    """
    os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    # It prints which libraries are absent; on standard output commands answer.
    with redirect_stdout(sys.stderr):
        ort.preload_dlls()


def open_graph(
    model: Path, provider: Provider, threads: int, device: int = 0, *, captured: bool = False
) -> ort.InferenceSession:
    """Open a graph on the provider that was asked for, and on no other.

    Args:
        model: The file of the graph.
        provider: Execution provider to run on.
        threads: Threads within one operator.
        device: Number of the GPU; means nothing on the CPU.
        captured: Whether runs will be captured as CUDA graphs.

    Raises:
        NotReadyError: The provider is not the one in use, or cannot be had.
        OverloadedError: The device has no memory left for the graph.
        PackageInvalidError: The file is no ONNX graph.
    """
    if provider != "cpu":
        prepare_for_gpu()
    asked = _CHAINS[provider][0][0]
    chain = _chain(provider, device, captured=captured)
    try:
        # Without its own second try on the CPU, of which it also tells on standard output.
        session = ort.InferenceSession(
            str(model), _options(provider, threads), providers=chain, enable_fallback=0
        )
    except RUN_ERRORS as error:
        raise unopened(model, None if chain[0][0] == CPU else chain[0][0], error) from error
    if (used := session.get_providers()[0]) != asked:
        raise NotReadyError(
            f"{asked} was asked for and ONNX Runtime {ort.__version__} runs on {used} "
            f"(available: {', '.join(ort.get_available_providers())}); install the GPU extra and what else it needs, or ask for cpu. "
            "Standard error says which library is absent",
            provider=used,
        )
    return session


def _chain(provider: Provider, device: int, *, captured: bool) -> list[tuple[str, dict[str, str]]]:
    """The providers to try, on one device; ONNX Runtime refuses a device for the CPU."""
    available = ort.get_available_providers()
    more = {_CUDA[0]: {"enable_cuda_graph": "1"}} if captured else {}
    return [
        (name, options if name == CPU else {**options, **more.get(name, {}), "device_id": str(device)})
        for name, options in _CHAINS[provider]
        if name in available
    ]


def _options(provider: Provider, threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 3  # errors only; warnings about shape inference tell an operator nothing
    # Idle threads sleep: spinning would burn the CPUs that read the next image.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if provider == "cpu":
        options.add_session_config_entry("session.use_env_allocators", "1")
    return options
