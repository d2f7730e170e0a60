"""Waiting for what another thread, or another process, does."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
LONGEST_S = 30
LOOK_S = 0.005


def wait_until(found: Callable[[], Found]) -> Found:
    """Ask until the answer is true, and give it."""
    deadline = time.monotonic() + LONGEST_S
    while not (answer := found()):
        assert time.monotonic() < deadline
        time.sleep(LOOK_S)
    return answer
