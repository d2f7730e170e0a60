"""The resident memory of a server with all it has started, looked at again and again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.processes import Process

EVERY_S: Final = 0.25
MIB: Final = 2**20


@contextmanager
def watched_mib(process: Process) -> Iterator[list[float]]:
    """Look until the block ends.

    Args:
        process: The server.

    Yields:
        What was seen so far, in MiB; at least once when the block has ended.
    """
    seen: list[float] = []
    over = threading.Event()

    def look() -> None:
        while True:
            seen.append(process.resident_bytes() / MIB)
            if over.wait(EVERY_S):
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
