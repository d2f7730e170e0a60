"""What ONNX Runtime fails with, told apart: a device that is full, one that is lost, a graph that is at fault."""

from pathlib import Path
from typing import Final

import onnxruntime as ort
import structlog
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from app.errors import NotReadyError, OverloadedError, PackageInvalidError
from app.inference.lost_device import takes_the_device
from app.inference.ticket import RETRY_AFTER_S

_ORT_ERRORS: Final[tuple[type[Exception], ...]] = tuple(
    kind for kind in vars(ort_errors).values() if isinstance(kind, type) and issubclass(kind, Exception)
)
"""ONNX Runtime's errors share no base class below Exception."""
_OUT_OF_MEMORY: Final = ("allocate memory", "out of memory", "alloc_failed")
"""How the arena, CUDA, and cuDNN or cuBLAS say it."""
_DEVICE_FAILED: Final = ("cuda failure", "cublas failure", "cudnn failure")
"""How a provider says that not the graph is at fault (onnxruntime/core/providers/cuda/cuda_call.cc)."""
RUN_ERRORS: Final[tuple[type[Exception], ...]] = (*_ORT_ERRORS, MemoryError, RuntimeError)
"""IO binding says the same as a plain RuntimeError."""

log = structlog.stdlib.get_logger(__name__)


def unopened(
    model: Path, gpu: str | None, error: Exception
) -> NotReadyError | OverloadedError | PackageInvalidError:
    """Tell a full device and one that is not there from a graph that is at fault.

    Args:
        model: The file of the graph.
        gpu: Name of the execution provider that was asked for, None for the CPU's.
        error: What opening it failed with.
    """
    # On the CPU ONNX Runtime says the same of a graph that asks for an absurd buffer.
    if isinstance(error, MemoryError) or (gpu and _is_full(error)):
        return OverloadedError(
            f"the device has no memory left for {model.name}; unload a package that is not needed, or make room on the device"
        )
    # What a provider raises while it is made has no class of its own.
    failed = type(error) is RuntimeError or any(sign in str(error).lower() for sign in _DEVICE_FAILED)
    if gpu and failed:
        # No case was here before: what it says is of the machine alone.
        log.error("provider-failed", provider=gpu, detail=str(error))
        return NotReadyError(
            f"{gpu} was asked for and ONNX Runtime {ort.__version__} failed to begin with it; the log says why "
            "(`provider-failed`). Check driver, libraries and NEUROFUSE_DEVICES, or ask for cpu",
            provider=gpu,
        )
    return PackageInvalidError(
        f"{model.name} cannot be opened by ONNX Runtime {ort.__version__}: {type(error).__name__}"
    )


def named(error: Exception) -> NotReadyError | OverloadedError:
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


def _is_full(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _OUT_OF_MEMORY)
