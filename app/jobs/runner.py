"""Begins jobs when their turn comes, among the cases that somebody waits for; holds them, lets go of them at the end.

A job takes its turn in the same queue as interactive cases, by its own urgency, and is claimed only once the turn has
come: what waits longer than a busy hour waits in the database, not in a process that may die.
"""

import platform
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
import structlog

from app.identifiers import uuid7
from app.inference.lost_device import DEVICE_LOST
from app.inference.ticket import Ticket, Urgency, current_ticket
from app.jobs.signals import Attempt
from app.jobs.worker import INTERRUPTED, JobWorker
from app.predictions.admission import Admission
from app.records.job_turns import Model
from app.records.jobs import Job
from app.telemetry import log_fault

LOOK_EVERY_S: Final = 1.0
HOLD_EVERY_S: Final = 5.0
LONGEST_PAUSE_S: Final = 20.0
GRACE_S: Final = 5.0
"""Seconds that a running job has to end once the process is told to stop; then it waits for the next start."""
IDENTITY_NAME: Final = "runner"

log = structlog.stdlib.get_logger(__name__)


def runner_identity(folder: Path) -> str:
    """Who works in a data folder; the same after a restart, so that it knows its own jobs by their owner.

    Not the same in a copy of the folder, file by file or on another machine: each start there would take the jobs away that are worked on here.
    A snapshot under the same host name keeps it; there the file is to be removed (docs/how-to/backup.md).
    """
    path = folder / IDENTITY_NAME
    # Empty where the disk was full, or the power cut, when it was written: whoever shares a name shares the jobs.
    if not path.is_file() or not path.stat().st_size:
        path.write_text(str(uuid7()), encoding="ascii")
    place = f"{path.read_text(encoding='ascii')} {platform.node()} {path.stat().st_ino}"
    return str(uuid.uuid5(uuid.NAMESPACE_OID, place))


class _NothingWaitsError(Exception):
    """A turn came, and there is no job for it any more."""


class JobRunner:
    """The runner of one process.

    Args:
        worker: What is done with a job.
        admission: The queue that jobs share with interactive cases.
        concurrent: Jobs worked on at the same time, at most.
        identity: From `runner_identity`.
    """

    def __init__(self, worker: JobWorker, admission: Admission, concurrent: int, identity: str) -> None:
        self._worker = worker
        self._admission = admission
        self._concurrent = concurrent
        self._identity = identity
        self._signals = worker.signals
        self._stopping = threading.Event()
        self._stranded = set[Job]()

    async def run(self) -> None:
        """Work until cancelled; then running jobs are ended within a grace or let go of, and it returns."""
        self._signals.bind()
        await _safely(partial(self._take_over, self._identity))
        async with anyio.create_task_group() as group:
            group.start_soon(_again, self._look, LOOK_EVERY_S)
            group.start_soon(_again, self._hold, HOLD_EVERY_S)
            group.start_soon(self._stop_in_time)
            for urgency in Urgency:
                for _ in range(self._concurrent):
                    group.start_soon(self._lane, urgency)

    async def _lane(self, urgency: Urgency) -> None:
        waiting = self._signals.waiting[urgency]
        while True:
            await waiting.wait()
            waiting.clear()
            try:
                await self._admission.work(
                    partial(self._begin, urgency), anyio.sleep_forever, Ticket(urgency)
                )
            except _NothingWaitsError:
                pass  # another lane was faster
            except Exception as error:  # noqa: BLE001 - the database may say anything; the next look tries again
                log_fault(log, "runner-fault", error)
                await anyio.sleep(LOOK_EVERY_S)

    def _begin(self, urgency: Urgency, waited_s: float) -> None:
        job = self._claim(urgency)
        if job is None:
            # An error, so that an empty turn does not count as a quick case where the pace of cases is measured.
            raise _NothingWaitsError
        self._signals.job_came(urgency)  # there may be another one for the next lane
        attempt = Attempt(job, current_ticket())
        self._signals.held.add(attempt)
        try:
            self._worker.work(job, waited_s)
        except Exception:
            # What became of it could not be written: the database is gone or full. It waits again once that can be.
            self._stranded.add(job)
            raise
        finally:
            self._signals.held.remove(attempt)

    def _claim(self, urgency: Urgency) -> Job | None:
        if self._stopping.is_set():
            return None
        return self._worker.turns.claim(self._identity, self._models(), urgency, datetime.now(UTC))

    def _models(self) -> list[Model]:
        if DEVICE_LOST.is_set():  # a job that is begun now would lose a chance, and this process ends
            return []
        ready = (entry.reference for entry in self._worker.catalogue.entries() if entry.predictor is not None)
        return [(reference.name, reference.version) for reference in ready]

    def _look(self) -> None:
        counts = self._worker.jobs.open_counts()
        for state, count in counts.items():
            self._worker.metrics.jobs.labels(state).set(count)
        if not counts["queued"]:
            return
        for priority in self._worker.turns.waiting(self._models(), datetime.now(UTC)):
            self._signals.job_came(Urgency(priority))

    def _hold(self) -> None:
        """Go on holding what is worked on here, and take over what nobody holds any more."""
        mine = tuple(self._signals.held)
        held = self._worker.turns.renew(self._identity, {each.job.id for each in mine}, datetime.now(UTC))
        still = {(each.id, each.attempt) for each in held if not each.cancelling}
        for attempt in mine:
            if (attempt.job.id, attempt.job.attempt) not in still:
                attempt.ticket.gone.set()
        self._take_over(None)
        self._put_back_stranded()  # last: where storage is still away it fails, and what is worked on must be held all the same

    def _put_back_stranded(self) -> None:
        for job in tuple(self._stranded):
            self._worker.put_back(job, datetime.now(UTC), free=True)
            self._stranded.discard(job)  # at the end of the process two threads may do this

    def _take_over(self, dead: str | None) -> None:
        waiting, ended = self._worker.turns.take_over(datetime.now(UTC), dead, INTERRUPTED)
        if waiting or ended:
            log.info("jobs-taken-over", count=len(waiting) + len(ended))
        self._worker.ended_unseen(ended)

    async def _stop_in_time(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self._stopping.set()
            with anyio.CancelScope(shield=True):
                deadline = time.monotonic() + GRACE_S
                while self._signals.held and time.monotonic() < deadline:  # noqa: ASYNC110 - threads end them
                    await anyio.sleep(0.05)
                await _safely(self._let_go)

    def _let_go(self) -> None:
        """Others may begin these jobs at once, though the threads that work on them here take a while to notice."""
        self._put_back_stranded()
        for attempt in tuple(self._signals.held):
            self._worker.put_back(attempt.job, datetime.now(UTC), free=True)
            attempt.ticket.gone.set()


async def _safely(step: Callable[[], None]) -> bool:
    """Take a step in a thread; whether it went well. A fault is logged, and the next step is a new attempt."""
    try:
        await anyio.to_thread.run_sync(step)
    except Exception as error:  # noqa: BLE001 - the database may say anything
        log_fault(log, "runner-fault", error)
        return False
    return True


async def _again(step: Callable[[], None], every_s: float) -> None:
    """Take a step again and again; after faults with longer pauses, since each is a line in the log."""
    pause_s = every_s
    while True:
        await anyio.sleep(pause_s)
        pause_s = every_s if await _safely(step) else min(2 * pause_s, LONGEST_PAUSE_S)
