"""Processes forked from a server that has loaded what an image worker needs, and nothing of the program around it.

`multiprocessing` lets each child import the main module of its parent again; for a service that would be the service.
The process forked is imported by its name, so it is defined here, beside nothing else.
"""

import sys
import threading
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import ModuleType
from typing import Final

_starting: Final = threading.Lock()


class LeanProcess(ForkServerProcess):
    """A process that does not import the program it was started from."""

    def start(self) -> None:
        """Starts it, with an empty main module in the place of the program's for as long as that takes."""
        with _starting:
            main = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super().start()
            finally:
                sys.modules["__main__"] = main


class LeanContext(ForkServerContext):
    """What to give to a pool.

    Args:
        modules: Loaded once by the server; every process has them when it begins.
    """

    Process = LeanProcess

    def __init__(self, *modules: str) -> None:
        super().__init__()
        self.set_forkserver_preload([__name__, *modules])
