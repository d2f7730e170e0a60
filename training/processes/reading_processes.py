"""Processes that read or make images for a command, each a patient at a time.

They end with it, however it ends, and one that is lost is told of in words.
"""

import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children
from multiprocessing.context import BaseContext

from app.expendable import become_expendable
from training.cohort import CohortError


@contextmanager
def reading_processes(workers: int, context: BaseContext | None = None) -> Iterator[ProcessPoolExecutor]:
    """Some processes, which no longer live than this one, however it ends.

    Args:
        workers: How many.
        context: How they are started.

    Raises:
        CohortError: One of them was ended from outside, mostly because memory ran out: the kernel then takes them first.
    """
    try:
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
            try:
                yield pool
            except KeyboardInterrupt:
                # By itself the pool would first do all that waits in it. What runs may end: killed, it would break the pool, and
                # CPython 3.11 then tells of a future that is cancelled already, by a stack trace.
                pool.shutdown(cancel_futures=True)
                for (
                    process
                ) in active_children():  # where it was just starting them, nobody else would end them
                    process.kill()
                raise
    except BrokenProcessPool:
        raise CohortError(
            "a process that works on images was ended from outside, mostly because memory ran out; give fewer workers (--workers, or "
            "workers in [training] of the configuration), and the command again"
        ) from None


def _begin() -> None:
    """Ctrl-C reaches every process of a terminal: the command alone answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    become_expendable("nf-reading")
