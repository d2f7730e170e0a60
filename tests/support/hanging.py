"""What a machine elsewhere was asked and does not answer until a test lets it."""

import threading
from typing import Any

from tests.support.waiting import LONGEST_S


class Hanging:
    """Stands in for what a provider answers a request with.

    Args:
        answer: What comes in the end.

    Attributes:
        go_on: Set by the test: the answer comes.
    """

    def __init__(self, answer: Any) -> None:
        self.go_on = threading.Event()
        self._asked = threading.Semaphore(0)
        self._answer = answer

    def __call__(self, *_asked: Any) -> Any:
        self._asked.release()
        self.go_on.wait()
        return self._answer

    def wait_until_asked(self, times: int = 1) -> None:
        """Go on once so many wait.

        Raises:
            TimeoutError: Fewer ask.
        """
        if not all(self._asked.acquire(timeout=LONGEST_S) for _ in range(times)):
            raise TimeoutError("nobody asks")

    def is_asked_more(self) -> bool:
        """Whether more wait than were waited for."""
        return self._asked.acquire(blocking=False)
