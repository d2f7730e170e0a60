"""Empty folders for the files of one piece of work, used again and again.

Making and removing a folder costs a file system more than the few files in it: ext4 looks for a place for each far from the last (`ext4_mkdir`), and both
wait for its journal. So a folder whose files are gone is kept for the next.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MOST_IDLE: Final = 64
"""Empty folders that are kept; more than that work at the same time only for a moment."""


class ScratchFolders:
    """Folders below one root; safe from any thread.

    What a killed process leaves is removed by whoever owns the root, when it starts.

    Args:
        root: Where they lie.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._idle: list[Path] = []
        self._closed = False

    def take(self) -> Path:
        """An empty folder that nobody else has, until it is given back; readable by this user alone."""
        try:
            return self._idle.pop()
        except IndexError:
            return Path(tempfile.mkdtemp(dir=self._root))

    def give_back(self, folder: Path) -> None:
        """Remove all that lies in a folder; what cannot be removed is left to whoever owns the root."""
        if self._closed or len(self._idle) >= MOST_IDLE or not _emptied(folder):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            self._idle.append(folder)

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
        while self._idle:
            shutil.rmtree(self._idle.pop(), ignore_errors=True)


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
