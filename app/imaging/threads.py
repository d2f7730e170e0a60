"""Work on arrays side by side: numpy and scipy let go of the interpreter while they compute."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np

from app.cpus import usable_cpus

MOST_THREADS: Final = 8
PIECES: Final = 4
FEW: Final = 1 << 21
"""Values that one thread is done with before several have been begun and have waited for each other."""
Item = TypeVar("Item")


def side_by_side(call: Callable[[Item], object], items: Iterable[Item], values: int = FEW) -> None:
    """Calls for every item, on as many threads as this process may use cores.

    Args:
        call: Leaves its result in memory that no other call touches.
        items: What to call it with.
        values: How many values all calls together work on; fewer than `FEW` are left to this thread.

    Raises:
        Exception: What a call raised.
        MemoryError: There is no room for a thread.
    """
    threads = min(usable_cpus(), MOST_THREADS)
    if threads == 1 or values < FEW:
        for item in items:
            call(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        with beginning_threads():
            called = pool.map(call, items)
        for _ in called:
            pass


@contextmanager
def beginning_threads() -> Iterator[None]:
    """Names what is short where a thread cannot begin: room for its stack (pthread_create(3), EAGAIN), which the interpreter calls a `RuntimeError`."""
    try:
        yield
    except RuntimeError:
        raise MemoryError from None


def pieces(size: int) -> list[slice]:
    """Cuts a range into some consecutive pieces per core, so that a core that is held up holds nobody up."""
    cuts = np.linspace(0, size, min(size, PIECES * usable_cpus()) + 1).astype(np.intp).tolist()
    return [slice(start, stop) for start, stop in pairwise(cuts)]
