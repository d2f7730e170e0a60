"""What uses a GPU goes on side by side, except while one captures a CUDA graph.

ONNX Runtime captures in `cudaStreamCaptureModeGlobal` and says that this is for a single thread (`CUDAGraphManager::CaptureBegin`,
onnxruntime/core/providers/cuda/cuda_graph.cc). In that mode no thread of the process may make calls that are potentially unsafe, such as
`cudaMalloc` (CUDA Runtime API, `cudaThreadExchangeStreamCaptureMode`): they fail with error 900 in whichever package's case made them, and
spoil the capture (onnxruntime#18806).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


class CaptureLock:
    """Many together, or one alone.

    Who wants to be alone waits for those who are inside, and who comes later waits for it; so it has its turn whatever the load. A thread
    that is inside must not come in again.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0
        self._wanting = 0
        self._is_alone = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """For whatever calls CUDA and captures nothing."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._is_alone or self._wanting))
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For a run that captures."""
        with self._changed:
            self._wanting += 1
            try:
                self._changed.wait_for(lambda: not (self._is_alone or self._together))
                self._is_alone = True
            finally:
                self._wanting -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._is_alone = False
                self._changed.notify_all()


CAPTURES: Final = CaptureLock()
"""Of this process, as the mode is; where nothing is captured nobody ever waits for it."""
