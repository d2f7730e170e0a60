"""Removes what is over of jobs: those kept for their time, and files that no job needs any more."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from app.errors import NotReadyError
from app.jobs.request import KIND, upload_name
from app.jobs.turn import problem_of
from app.predictions.identifiers import made_s
from app.records.artefacts import Artefacts
from app.records.jobs import FINISHED
from app.records.store import RecordStore

UNACCEPTED_S: Final = 600.0
"""Age at which files without a job are left over from a crash: nobody is still about to accept them."""
AT_ONCE: Final = 500
NEVER_SERVED: Final = problem_of(
    NotReadyError(
        "Expected a machine that serves the job's package; there was none in all its time. Send the case again."
    )
)


class JobSweep:
    """Sweeps jobs, batches, webhooks and uploads.

    Args:
        records: The database.
        artefacts: Where uploads are kept.
        max_age: For which what is finished is kept.
        discard: Removes the files of an answer that is none, by its id.
    """

    def __init__(
        self,
        records: RecordStore,
        artefacts: Artefacts,
        max_age: timedelta,
        discard: Callable[[str], None],
    ) -> None:
        self._discard = discard
        self._records = records
        self._artefacts = artefacts
        self._max_age = max_age

    def sweep(self) -> int:
        """Remove what is over; the number of things removed."""
        now = datetime.now(UTC)
        before = now - self._max_age
        given_up = self._records.job_turns.give_up(before, NEVER_SERVED, now)
        for job_id in given_up:
            self._discard(job_id)
        removed = len(given_up)
        removed += self._records.jobs.delete_finished(before)
        removed += self._records.webhooks.delete_settled(before)
        removed += self._records.batches.delete_empty(before)
        return removed + self._remove_unneeded()

    def _remove_unneeded(self) -> int:
        removed = 0
        ids = sorted({name.split("/")[1] for name in self._artefacts.names(KIND)})
        for start in range(0, len(ids), AT_ONCE):
            part = ids[start : start + AT_ONCE]
            states = self._records.jobs.states(part)
            for job_id in part:
                state = states.get(job_id)
                if state in FINISHED or (state is None and _age_s(job_id) > UNACCEPTED_S):
                    self._artefacts.delete_all(upload_name(job_id))
                    removed += 1
        return removed


def _age_s(identifier: str) -> float:
    return time.time() - (made_s(identifier) or 0.0)
