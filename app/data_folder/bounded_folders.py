"""Folders that are kept for a bounded time and within a bounded number of bytes, each complete or absent.

A folder is named by a UUID of version 7, whose first 48 bits say when it was made (RFC 9562, section 5.7): its age is
in its name, and names sort by age. It is filled under another name and renamed when it is complete, and renamed before
it is removed, so that a process killed at any moment leaves nothing but what the next sweep removes.
"""

import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.identifiers import made_s

UNFINISHED: Final = "."
"""Begins the name of a folder that is being written or removed."""


@dataclass(frozen=True)
class KeepingLimits:
    """How long and how much is kept.

    Attributes:
        max_age_s: Seconds from the making of a folder until it is gone.
        max_bytes: Bytes of all folders together; the oldest go first.
    """

    max_age_s: float
    max_bytes: int


class BoundedFolders:
    """The folders below one root; one process works in it.

    Args:
        root: Where they lie; created where it is absent.
        limits: Bounds.
        now: Unix time in seconds.
    """

    def __init__(self, root: Path, limits: KeepingLimits, now: Callable[[], float]) -> None:
        self._root = root
        self._limits = limits
        self._now = now
        self._lock = (
            threading.Lock()
        )  # held to change what is below, and while a folder gets or loses its name
        self._bytes: dict[str, int] = {}
        self._total_bytes = 0
        self._in_use: Counter[str] = Counter()
        self._doomed: set[str] = set()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A folder to fill; removed when the block ends, unless `keep` took it."""
        with self._lock:
            folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self._root))
            self._in_use[folder.name] += 1
        try:
            yield folder
        finally:
            _remove(folder)
            self._release(folder.name)

    def keep(self, identifier: str, folder: Path) -> bool:
        """Take a filled folder, then let the oldest go until all fit.

        Args:
            identifier: UUID version 7, made by this service.
            folder: From `writing`, complete.

        Returns:
            Whether it is kept: not where it alone passes the bound on bytes.
        """
        size = _bytes_in(folder)
        if size > self._limits.max_bytes or self._limits.max_age_s <= 0:
            return False
        with self._lock:
            folder.rename(self._root / identifier)
            self._weigh(identifier, size)
        self._make_room()
        return True

    @contextmanager
    def using(self, identifier: str) -> Iterator[Path | None]:
        """A kept folder that stays while the block runs; None where it is not, or no longer, kept."""
        with self._lock:
            found = self.find(identifier)
            self._in_use[identifier] += 1
        try:
            yield found
        finally:
            self._release(identifier)

    def find(self, identifier: str) -> Path | None:
        """A kept folder; None where it is not, or no longer, kept, or `identifier` is none of ours."""
        made = made_s(identifier)
        if made is None or self._is_over(made) or identifier in self._doomed:
            return None
        folder = self._root / identifier
        return folder if folder.is_dir() else None

    def names(self) -> list[str]:
        """The kept folders, in no order."""
        return [entry.name for entry in self._root.iterdir() if made_s(entry.name) is not None]

    def expires_s(self, identifier: str) -> float:
        """Unix time in seconds when a folder of this name is gone at the latest.

        Raises:
            ValueError: It is no UUID of version 7.
        """
        made = made_s(identifier)
        if made is None:
            raise ValueError("a kept folder is named by a UUID of version 7")
        return made + self._limits.max_age_s

    def delete(self, identifier: str) -> None:
        """Remove a folder, at once or when its last user is done; nothing happens where there is none."""
        if made_s(identifier) is None:
            return
        with self._lock:
            self._weigh(identifier, 0)
            if self._in_use[identifier]:
                self._doomed.add(identifier)
                return
            doomed = self._set_aside(identifier)
        if doomed is not None:
            _remove(doomed)

    def sweep(self) -> int:
        """Remove what is over its time, what a killed process left, and the oldest until all fit.

        Returns:
            Folders that were removed.
        """
        with self._lock:
            names = [entry.name for entry in self._root.iterdir() if not self._in_use[entry.name]]
        left = [name for name in names if name.startswith(UNFINISHED)]
        for name in left:
            _remove(self._root / name)
        kept = {name: made for name in names if (made := made_s(name)) is not None}
        over = [name for name, made in kept.items() if self._is_over(made)]
        for name in over:
            self.delete(name)
        self._count(kept.keys() - set(over))
        return len(left) + len(over) + self._make_room()

    def _make_room(self) -> int:
        removed = 0
        while (oldest := self._surplus()) is not None:
            self.delete(oldest)
            removed += 1
        return removed

    def _surplus(self) -> str | None:
        with self._lock:
            return min(self._bytes) if self._total_bytes > self._limits.max_bytes else None

    def _weigh(self, identifier: str, size: int) -> None:
        """Know what a folder takes; 0 where it is gone."""
        self._total_bytes += size - self._bytes.pop(identifier, 0)
        if size:
            self._bytes[identifier] = size

    def _count(self, identifiers: Iterable[str]) -> None:
        """Know the sizes of folders that an earlier process kept."""
        for identifier in identifiers:
            if identifier not in self._bytes:
                size = _bytes_in(self._root / identifier)
                with self._lock:
                    if (self._root / identifier).is_dir():
                        self._weigh(identifier, size)

    def _set_aside(self, identifier: str) -> Path | None:
        doomed = self._root / f"{UNFINISHED}{identifier}"
        try:
            return (self._root / identifier).rename(doomed)
        except FileNotFoundError:
            return None

    def _is_over(self, made: float) -> bool:
        return self._now() >= made + self._limits.max_age_s

    def _release(self, name: str) -> None:
        with self._lock:
            self._in_use[name] -= 1
            self._in_use = +self._in_use  # forgets names that nobody uses
            is_last = name in self._doomed and not self._in_use[name]
            if is_last:
                self._doomed.discard(name)
        if is_last:
            self.delete(name)


def _bytes_in(folder: Path) -> int:
    """Bytes of the files in a folder; 0 where it has gone meanwhile."""
    try:
        return sum(
            os.stat(os.path.join(place, name)).st_size  # noqa: PTH116, PTH118 - every case waits for this
            for place, _, names in os.walk(folder)
            for name in names
        )
    except FileNotFoundError:
        return 0


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
