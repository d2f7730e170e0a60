"""Processes that read images for a command, each a patient at a time: they end with it, and one that is lost is told of in words."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from app.expendable import become_expendable
from training.cohort import CohortError


@contextmanager
def reading_processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Some processes, which no longer live than this one, however it ends.

    Args:
        workers: How many.

    Raises:
        CohortError: One of them was ended from outside, mostly because memory ran out: the kernel then takes them first.
    """
    try:
        with ProcessPoolExecutor(workers, initializer=become_expendable, initargs=("nf-reading",)) as pool:
            yield pool
    except BrokenProcessPool:
        raise CohortError(
            "a process that reads images was ended from outside, mostly because memory ran out; give fewer workers (--workers, or "
            "workers in [training] of the configuration), and the command again"
        ) from None
