"""A data folder for each replica of a node, and an end for what the replicas that are gone have kept there.

`DataFolder` is worked in by one process. Replicas come and go under names that never return, and a folder named after one that was
killed would keep patients' images for good. So the folders are numbered, and the kernel remembers who is in one: a lock of flock(2) ends
with its process, however that ends.
"""

import fcntl
import itertools
import os
import shutil
from pathlib import Path
from typing import Final

from app.data_folder.layout import DataFolder

LOCK_NAME: Final = ".lock"
PREFIX: Final = "replica-"


class ReplicaFolder:
    """The lowest numbered folder that no living replica is in, `<root>/replica-<number>`.

    Args:
        root: `NEUROFUSE_DATA` of the node.

    Attributes:
        path: The folder; this process alone works in it until it ends or calls `release`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        for number in itertools.count():
            self.path = root / f"{PREFIX}{number}"
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _locked(self.path)
            if lock is not None:
                self._lock = lock
                return

    def release(self) -> None:
        """Let another replica have it."""
        os.close(self._lock)

    def empty(self) -> None:
        """Remove what is kept of patients here: it can be asked for by way of this replica alone, and that ends."""
        _empty(self.path)

    def empty_left(self) -> None:
        """Do the same in folders that nobody is in: where fewer replicas run than before, nobody might ever come back to them."""
        for found in self._root.glob(f"{PREFIX}*/{LOCK_NAME}"):
            lock = _locked(found.parent)
            if lock is not None:
                _empty(found.parent)
                os.close(lock)


def _empty(path: Path) -> None:
    folder = DataFolder(path)
    for kept in (folder.cases, folder.previews, folder.uploads):
        shutil.rmtree(kept, ignore_errors=True)


def _locked(path: Path) -> int | None:
    """The lock of a folder, held until it is closed; None where another has it, in this process or elsewhere."""
    lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
