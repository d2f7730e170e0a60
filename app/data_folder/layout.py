"""What lies where below the data folder, beside the artefacts. One process works in one data folder."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from app.errors import NotReadyError

LOCK_NAME: Final = "in-use"

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class DataFolder:
    """The folder of `NEUROFUSE_DATA`.

    Attributes:
        root: The folder itself.
    """

    root: Path

    @property
    def database(self) -> Path:
        """The record store."""
        return self.root / "records.sqlite3"

    @property
    def cases(self) -> Path:
        """Cases that are kept for a while, by prediction (`app.data_folder.case_store`)."""
        return self.root / "cases"

    @property
    def previews(self) -> Path:
        """Uploads that were previewed, kept for a while (`app.data_folder.upload_store`)."""
        return self.root / "previews"

    @property
    def uploads(self) -> Path:
        """Uploads of requests that are being answered, one folder each; on a disk, never in memory."""
        return self.root / "uploads"

    @property
    def lock(self) -> Path:
        """Held by the process that works in the folder; there since the first one did."""
        return self.root / LOCK_NAME

    @contextmanager
    def held(self) -> Iterator[None]:
        """Work in the folder alone while the block runs: another process would remove what this one is working on.

        Raises:
            NotReadyError: Another process works in it, or another program keeps files in it.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_foreign()
        # A lock of flock(2) ends with its process, however that ends.
        lock = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotReadyError(
                    f"Expected a data folder of its own; another process works in {self.root.resolve()}. "
                    "End that one first, or set NEUROFUSE_DATA to another folder."
                ) from None
            except OSError:
                log.warning("data-folder-not-locked")  # a file system without locks
            yield
        finally:
            os.close(lock)

    def _refuse_foreign(self) -> None:
        """What lies in `uploads` is removed at each start; where none of ours was yet, it is somebody else's."""
        ours = self.lock.exists() or self.database.exists()
        if not ours and self.uploads.is_dir() and any(self.uploads.iterdir()):
            raise NotReadyError(
                f"Expected a data folder of its own; {self.uploads.resolve()} holds files that no service of ours has put there, and a start would remove them. "
                "Set NEUROFUSE_DATA to another folder."
            )

    def prepare(self) -> None:
        """Create what is absent and remove uploads that a killed process left: they are patients' images.

        Raises:
            OSError: A folder cannot be made or written to; it is named.
        """
        shutil.rmtree(self.uploads, ignore_errors=True)
        for folder in (self.root, self.cases, self.previews, self.uploads):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):  # another user's, perhaps by a restore
                raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
