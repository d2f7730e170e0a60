"""Waiting for what another thread, or another process, does."""

import signal
import time
from collections.abc import Callable
from typing import Final, TypeVar

from tests.support.forked import Process

Found = TypeVar("Found")
LONGEST_S: Final = 200
"""Ends a test that would wait for ever. It is no measure: a machine of any speed, with whatever else to do, is sooner.

A test may wait so long, and what it started for its end after that, before the alarm of pytest, which comes once."""
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


def end(process: Process, by: signal.Signals = signal.SIGTERM) -> None:
    """Have a process end itself; one that does not is killed.

    Raises:
        subprocess.TimeoutExpired: It did not.
    """
    process.send_signal(by)
    try:
        process.wait(timeout=LONGEST_S)
    finally:
        process.kill()
