"""A graph of arithmetic that can be held, for tests of what stands before a graph: it is a device, not a part of ours."""

import threading

import numpy as np

from app.errors import OverloadedError
from app.inference.graph_session import RawOutputs
from tests.support.waiting import LONGEST_S

REFUSED = -1.0
"""First pixel of a case that this graph cannot answer."""


class SlowGraph:
    """Answers a case with its first pixel, one run after the other; `gate` holds runs as long as it is not set.

    Args:
        memory: Most rows of one run.
    """

    provider = "ArithmeticProvider"

    def __init__(self, memory: int = 1000) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.runs: list[list[float]] = []
        self.begun = threading.Semaphore(0)
        self.closed = False
        self._memory = memory

    def run(self, image: np.ndarray, values: np.ndarray, missing: np.ndarray) -> RawOutputs:
        assert not self.closed
        assert len(image) == len(values) == len(missing)
        first = image[:, 0, 0, 0, 0]
        self.runs.append(first.tolist())
        self.begun.release()
        assert self.gate.wait(LONGEST_S)
        if len(image) > self._memory or REFUSED in first:
            raise OverloadedError("the device has no memory left for this batch")
        return RawOutputs(
            first[:, np.newaxis], image[:, 0], np.zeros_like(values), np.stack([first, values[:, 0]], axis=1)
        )

    def close(self) -> None:
        self.closed = True


def case(pixel: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One case, known by its first pixel, which is also its first value."""
    return (
        np.full((1, 1, 2, 2, 2), pixel, np.float32),
        np.full((1, 3), pixel, np.float32),
        np.zeros((1, 3), np.float32),
    )
