"""Runs the jobs of a plan side by side, each in a process of its own.

The processes are forked from one that has imported everything and computed nothing (`forkserver`), so a job costs a fork instead of
the seconds that importing torch takes, and still shares no state with another. A process that dies takes its own job with it only.
"""

import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from types import FrameType

from pebble import ProcessExpired, ProcessPool

from app.cpus import usable_cpus
from training.ablation.plan import Plan
from training.ablation.work import Outcome, last_lines, work
from training.jobs import Job
from training.processes.threads import threads_of_children

REFRESH_S = 0.5
_WARM_MODULE = "training.ablation.warm"


@dataclass(frozen=True)
class Progress:
    """Where an ablation stands.

    Attributes:
        running: Jobs in a process now.
        ended: Jobs with how they ended, in that order.
    """

    running: frozenset[Job]
    ended: dict[Job, Outcome]


def execute(jobs: Sequence[Job], plan: Plan, workers: int) -> Iterator[Progress]:
    """Run jobs, telling about twice a second how things stand; those that fail do not stop the others.

    Args:
        jobs: To do, in this order.
        plan: They are part of.
        workers: Processes at once; the cores are divided among them.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM; the processes are gone when it arrives here.
    """
    threads = max(1, usable_cpus() // workers)
    context = get_context("forkserver")
    context.set_forkserver_preload([_WARM_MODULE])
    with threads_of_children(threads), _stopped_by_signals() as stopped:
        pool = ProcessPool(max_workers=workers, max_tasks=1, context=context)
        try:
            futures: dict[Future[Outcome], Job] = {
                pool.schedule(work, args=[job, plan, threads]): job for job in jobs
            }
            yield from _follow(futures, plan, stopped)
            pool.close()  # type: ignore[no-untyped-call]  # pebble types most of its methods, not these
        finally:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()


def _follow(futures: dict[Future[Outcome], Job], plan: Plan, stopped: threading.Event) -> Iterator[Progress]:
    ended: dict[Job, Outcome] = {}
    waiting: set[Future[Outcome]] = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=REFRESH_S, return_when=FIRST_COMPLETED)
        if stopped.is_set():  # the exception itself can get lost, in a destructor say
            raise KeyboardInterrupt
        ended |= {futures[future]: _outcome(future, futures[future], plan) for future in done}
        yield Progress(frozenset(futures[future] for future in waiting if future.running()), dict(ended))


def _outcome(future: Future[Outcome], job: Job, plan: Plan) -> Outcome:
    try:
        return future.result()
    except ProcessExpired as error:
        end = last_lines(plan.out / job.folder, 1)
        return Outcome(
            f"its process ended with code {error.exitcode}, often for want of memory. {end}".strip(), 0
        )
    except CancelledError:
        return Outcome("cancelled", 0)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """SIGTERM stops as Ctrl-C does, with nothing left running; so does SIGINT where a shell started us with it ignored (`&`)."""
    stopped = threading.Event()

    def interrupt(_signum: int, _frame: FrameType | None) -> None:
        stopped.set()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
