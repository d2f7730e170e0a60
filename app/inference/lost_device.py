"""A GPU that this process has lost: it would answer with errors until it is started anew, while its packages look ready.

Of some errors CUDA says that the process is left in an inconsistent state, and that any further work returns the same error until it is terminated and
relaunched (driver_types.h of CUDA 13, `cudaError`). ONNX Runtime tells the number in its message only (onnxruntime/core/providers/cuda/cuda_call.cc).
"""

import re
import threading
from typing import Final

import anyio

from app.errors import NotReadyError

LOOK_EVERY_S: Final = 1.0
DEVICE_LOST: Final = threading.Event()
"""Of this process, as the state is that CUDA is left in; never taken back."""

_FAILURE: Final = re.compile(r"cuda failure (\d+)", re.IGNORECASE)
_FOR_GOOD: Final = frozenset((214, 226, 700, 702, 710, *range(714, 720), 721, 810, 911))
"""And 214, an uncorrectable error of the memory."""


def takes_the_device(error: Exception) -> bool:
    """Whether an error of ONNX Runtime is one of those; `DEVICE_LOST` is set then."""
    found = _FAILURE.search(str(error))
    if found is None or int(found[1]) not in _FOR_GOOD:
        return False
    DEVICE_LOST.set()
    return True


async def end_when_lost(every_s: float = LOOK_EVERY_S) -> None:
    """Waits for that, beside whatever takes its time, until it is cancelled.

    Raises:
        NotReadyError: The GPU is lost to this process. With this the service ends, so that it is started anew.
    """
    while not DEVICE_LOST.is_set():  # noqa: ASYNC110 - threads set it
        await anyio.sleep(every_s)
    raise NotReadyError(
        "Expected a GPU that answers; it is lost to this process, which ends. Start the service anew."
    )
