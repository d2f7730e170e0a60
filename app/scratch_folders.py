"""Empty folders for the files of one piece of work, used again and again.

Making and removing a folder costs a file system more than the few files in it: ext4 looks for a place for each far from the last (`ext4_mkdir`), and both
wait for its journal. So a folder whose files are gone is kept for the next.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Semaphore
from typing import Final

MOST_IDLE: Final = 64
"""Empty folders that are kept; more than that work at the same time only for a moment."""
MOST_LEFT: Final = 8
"""Folders that wait to be emptied; where the disk is slower than those who fill them, they wait for it themselves."""
MOST_AGAIN: Final = 8
"""Folders that could not be removed and are tried again with the next: all of them would take ever longer while nothing can be removed."""


class ScratchFolders:
    """Folders below one root; safe from any thread.

    What a killed process leaves is removed by whoever owns the root, when it starts.

    Args:
        root: Where they lie.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._idle: list[Path] = []
        self._undone: list[Path] = []
        self._counting = Lock()
        self._closed = False
        self._behind = ThreadPoolExecutor(1, thread_name_prefix="scratch")
        self._left = Semaphore(MOST_LEFT)

    def at_hand(self) -> Path | None:
        """An empty folder, without a word to the disk; None where one must be made first."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def take(self) -> Path:
        """An empty folder that nobody else has, until it is given back; readable by this user alone."""
        return self.at_hand() or Path(tempfile.mkdtemp(dir=self._root))

    def give_back(self, folder: Path) -> None:
        """Remove all that lies in a folder; what cannot be removed now is tried again with the next, and in the end left to whoever owns the root."""
        with self._counting:
            undone, self._undone = self._undone[:MOST_AGAIN], self._undone[MOST_AGAIN:]
        for each in (folder, *undone):
            if self._closed or len(self._idle) >= MOST_IDLE or not _emptied(each):
                shutil.rmtree(each, ignore_errors=True)
                if _is_there(each):  # no file may be opened just now, or the disk cannot be written to
                    with self._counting:
                        self._undone.append(each)
            else:
                self._idle.append(each)

    def leave(self, folder: Path) -> bool:
        """Have a folder given back by a thread of its own, at once, so that nobody waits for it.

        Returns:
            Whether it will be; where not, too many wait already, and `give_back` is to be called.
        """
        if self._closed or not self._left.acquire(blocking=False):
            return False

        def give_back() -> None:
            try:
                self.give_back(folder)
            finally:
                self._left.release()

        self._behind.submit(give_back)
        return True

    @contextmanager
    def one(self) -> Iterator[Path]:
        """A folder while the block runs."""
        folder = self.take()
        try:
            yield folder
        finally:
            self.give_back(folder)

    def close(self) -> None:
        """Remove the folders that are kept, and from now on each when it is given back."""
        self._closed = True
        self._behind.shutdown()
        while self._idle:
            shutil.rmtree(self._idle.pop(), ignore_errors=True)


def _is_there(folder: Path) -> bool:
    """Whether a folder has to be removed; not `Path.exists`, which raises where a share has gone."""
    try:
        folder.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _emptied(folder: Path) -> bool:
    """Remove what lies in a folder; whether the folder is there and empty now."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)  # noqa: PTH108 - thousands of files: a Path for each takes longer than the call
    except OSError:
        return False
    return True
