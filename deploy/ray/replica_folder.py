"""A data folder for each replica of a node; what a killed replica left is found, and swept, by the one that takes its place.

`DataFolder` is worked in by one process. Replicas come and go under names that never return, and a folder named after one that was
killed would keep patients' images for good. So the folders are numbered, and the kernel remembers who is in one: a lock of flock(2) ends
with its process, however that ends.
"""

import fcntl
import itertools
import os
from pathlib import Path
from typing import Final

LOCK_NAME: Final = ".lock"


class ReplicaFolder:
    """The lowest numbered folder that no living replica is in, `<root>/replica-<number>`.

    Args:
        root: `NEUROFUSE_DATA` of the node.

    Attributes:
        path: The folder; this process alone works in it until it ends or calls `release`.
    """

    def __init__(self, root: Path) -> None:
        for number in itertools.count():
            self.path = root / f"replica-{number}"
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._lock)
            else:
                return

    def release(self) -> None:
        """Let another replica have it."""
        os.close(self._lock)
