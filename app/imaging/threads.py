"""Work on arrays side by side: numpy and scipy let go of the interpreter while they compute."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
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

    Where no thread can begin, for want of room for its stack or of leave to have another, this one does all of it.

    Args:
        call: Leaves its result in memory that no other call touches, and the same one when it is called again.
        items: What to call it with.
        values: How many values all calls together work on; fewer than `FEW` are left to this thread.

    Raises:
        Exception: What a call raised.
    """
    items = list(items)
    threads = min(usable_cpus(), MOST_THREADS)
    if threads == 1 or values < FEW:
        for item in items:
            call(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            called = pool.map(call, items)
        except RuntimeError:  # so the interpreter calls EAGAIN (pthread_create(3)); some may have begun
            pool.shutdown(cancel_futures=True)
            called = map(call, items)
        for _ in called:
            pass


def pieces(size: int) -> list[slice]:
    """Cuts a range into some consecutive pieces per core, so that a core that is held up holds nobody up."""
    cuts = np.linspace(0, size, min(size, PIECES * usable_cpus()) + 1).astype(np.intp).tolist()
    return [slice(start, stop) for start, stop in pairwise(cuts)]
