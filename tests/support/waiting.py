"""Waiting for what another thread, or another process, does."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

Found = TypeVar("Found")
LONGEST_S: Final = 300
"""Ends a test that would wait for ever. It is no measure: a machine of any speed, with whatever else to do, is sooner."""
LOOK_S: Final = 0.005


def wait_until(found: Callable[[], Found], look_s: float = LOOK_S) -> Found:
    """Ask until the answer is true, and give it.

    Args:
        found: Asked again and again.
        look_s: Between two questions; more where a question costs something.
    """
    deadline = time.monotonic() + LONGEST_S
    while not (answer := found()):
        assert time.monotonic() < deadline, answer
        time.sleep(look_s)
    return answer
