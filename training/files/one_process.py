"""One process works in a folder of results at a time: a second one would write the same files under the first one's hands."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.cohort import CohortError

LOCK_FILE = "lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder while the block runs.

    The lock is of this process and goes with it, however it ends; the empty file that stays means nothing. A file system without
    locks, such as some of clusters have, keeps nobody out.

    Args:
        folder: Made where it is absent.

    Raises:
        CohortError: Another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a") as file:
        try:
            # Not flock(2): processes that this one forks would hold that for a while after it was killed.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # either, says fcntl(2)
            raise CohortError(
                f"expected to work alone in {folder.resolve().name}, found another process at work there; wait until it has ended, or stop it, "
                "and give the command again, or choose another --out"
            ) from None
        except OSError:
            pass
        yield
