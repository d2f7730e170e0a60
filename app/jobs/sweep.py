"""Removes what is over of jobs: those kept for their time, and files that no job needs any more."""

from datetime import UTC, datetime, timedelta
from typing import Final

from app.errors import NeuroFuseError
from app.jobs.request import KIND, upload_name
from app.jobs.worker import JobWorker
from app.records.job_problem import StoredProblem
from app.records.jobs import FINISHED, JobState
from app.records.leftovers import Leftovers
from app.records.store import RecordStore

NEVER_SERVED: Final = StoredProblem.of(
    NeuroFuseError(
        "Expected a machine that serves the job's package; there was none in all its time. Send the case again, with another Idempotency-Key where it had one."
    )
)
"""Not `not-ready`: whoever reads that this passes asks for ever."""


class JobSweep:
    """Sweeps jobs, batches, webhooks and uploads, and tells how full the disk of uploads and heatmaps is.

    Args:
        records: The database.
        worker: Sees to jobs that end here.
        max_age: For which what is finished is kept.
        leftovers: Tell files that were never accepted from those that are about to be.
    """

    def __init__(
        self,
        records: RecordStore,
        worker: JobWorker,
        max_age: timedelta,
        leftovers: Leftovers | None = None,
    ) -> None:
        self._leftovers = leftovers or Leftovers()
        self._records = records
        self._worker = worker
        self._artefacts = worker.artefacts
        self._max_age = max_age

    def sweep(self) -> int:
        """Remove what is over; the number of things removed."""
        self._tell_room()  # first: where the database has no room either, nothing below comes to its end
        now = datetime.now(UTC)
        before = now - self._max_age
        given_up = self._records.job_turns.give_up(before, NEVER_SERVED, now)
        self._worker.ended_unseen(given_up)
        removed = len(given_up)
        removed += self._records.jobs.delete_finished(before)
        removed += self._records.webhooks.delete_settled(before)
        removed += self._records.batches.delete_empty(before)
        return removed + self._remove_unneeded()

    def _tell_room(self) -> None:
        """Here and not at a scrape: a share that hangs holds up whoever asks."""
        if (room := self._artefacts.room()) is not None:
            for part, size in zip(("free", "whole"), room, strict=True):
                self._worker.metrics.artefacts_disk.labels(part).set(size)

    def _remove_unneeded(self) -> int:
        states: dict[str, JobState | None] = {
            name.split("/")[1]: None for name in self._artefacts.names(KIND)
        }
        states |= self._records.jobs.states(tuple(states))
        over = [job_id for job_id, state in states.items() if state in FINISHED]
        over += self._leftovers.among(job_id for job_id, state in states.items() if state is None)
        for job_id in over:
            self._artefacts.delete_all(upload_name(job_id))
        return len(over)
