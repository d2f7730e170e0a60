"""Accept and cancel jobs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.errors import NotReadyError, OverloadedError, RequestError
from app.inference.ticket import Urgency
from app.jobs.request import require_same, upload_name, write_request
from app.jobs.signals import Signals
from app.model_package.naming import Reference
from app.predictions.case import Case
from app.records.artefacts import Artefacts
from app.records.jobs import Job, JobRecords
from app.tracing import traceparent

RETRY_AFTER_S: Final = 5
"""A place is free as soon as one job ends."""


@dataclass(frozen=True)
class Wanted:
    """What is to be accepted.

    Attributes:
        case: Its files lie in one folder, alone.
        model: Package and version that answer.
        urgency: Whose turn comes first.
        fingerprint: Digest of the request.
        key: The caller's own name for the request.
        webhook_url: Who is told when it is finished; judged already.
        batch_id: The batch it belongs to.
    """

    case: Case
    model: Reference
    urgency: Urgency
    fingerprint: str
    key: str | None = None
    webhook_url: str | None = None
    batch_id: str | None = None


@dataclass(frozen=True)
class JobLimits:
    """Bounds on jobs, as the operator chose them.

    Attributes:
        most: Jobs that may wait or run.
        attempts: How often one may be begun, where the process ends in the middle of it.
    """

    most: int
    attempts: int


class JobService:
    """Accepts cases, to be answered by any runner on the same database.

    Args:
        records: The table of jobs.
        artefacts: Where uploads are kept.
        limits: Bounds.
        signals: Wake the runners of this process.
        discard: Removes the files of an answer that is none, by its id: what an attempt left that was cut short.
    """

    def __init__(
        self,
        records: JobRecords,
        artefacts: Artefacts,
        limits: JobLimits,
        signals: Signals,
        discard: Callable[[str], None],
    ) -> None:
        self._discard = discard
        self._records = records
        self._artefacts = artefacts
        self._limits = limits
        self._signals = signals

    def accept(self, wanted: Wanted, folder: Path) -> Job:
        """Accept a case; when this returns, a power cut does not lose it.

        Args:
            wanted: The case.
            folder: Of its files; moved away.

        Returns:
            The job, or the one that the same request was accepted as before, under the same key.

        Raises:
            IdempotencyKeyReusedError: Another request was accepted under the key.
            OverloadedError: Too many jobs wait.
            UnknownBatchError: There is no such batch.
            BatchClosedError: The batch takes no more jobs.
            NotReadyError: The package was unloaded.
        """
        self._refuse_more()
        # The files first: a row speaks of files that are there. What is left of a crash in between is swept.
        self._artefacts.put(upload_name(wanted.case.id), folder)
        try:
            job = self._records.add(self._row(wanted))
        except (
            RequestError,
            NotReadyError,
        ):  # of anything else it is not known whether the row was committed; the sweep will
            self._artefacts.delete_all(upload_name(wanted.case.id))
            raise
        if job.id != wanted.case.id:
            # The same key came twice at the same time, and the other one was first.
            self._artefacts.delete_all(upload_name(wanted.case.id))
            return require_same(job, wanted.fingerprint)
        self._signals.job_came(wanted.urgency)
        return job

    def _row(self, wanted: Wanted) -> Job:
        now = datetime.now(UTC)
        return Job(
            id=wanted.case.id,
            state="queued",
            priority=wanted.urgency,
            model_name=wanted.model.name,
            model_version=wanted.model.version,
            request=write_request(wanted.case),
            created=now,
            due=now,
            chances=self._limits.attempts,
            caller=wanted.case.caller,
            idempotency_key=wanted.key,
            fingerprint=wanted.fingerprint,
            reference=wanted.case.reference,
            webhook_url=wanted.webhook_url,
            batch_id=wanted.batch_id,
            traceparent=traceparent(),
        )

    def earlier(self, caller: str, key: str | None, fingerprint: str) -> Job | None:
        """The job that a caller's request was accepted as before, if it came before under a key.

        Raises:
            IdempotencyKeyReusedError: Another request was accepted under the key.
        """
        job = None if key is None else self._records.under_key(caller, key)
        return None if job is None else require_same(job, fingerprint)

    def _refuse_more(self) -> None:
        if sum(self._records.open_counts().values()) >= self._limits.most:
            raise OverloadedError(
                f"Expected at most {self._limits.most} jobs that wait or run; there are so many. Try again later.",
                limit=self._limits.most,
                retry_after_s=RETRY_AFTER_S,
            )

    def cancel(self, job_id: str) -> Job:
        """Drop a job: at once where it waits, before the network runs where it is worked on.

        Returns:
            The job; still `running` while it is being dropped.

        Raises:
            UnknownJobError: None has this id.
            JobFinishedError: It is done or has failed.
        """
        job = self._records.cancel(job_id, datetime.now(UTC))
        if job.state == "cancelled":
            self._clear(job_id)
        else:
            self._signals.job_dropped(job_id)
        return job

    def cancel_batch(self, batch_id: str) -> None:
        """Drop every job of a batch that is not finished."""
        dropped, marked = self._records.cancel_all(batch_id, datetime.now(UTC))
        for job_id in dropped:
            self._clear(job_id)
        for job_id in marked:
            self._signals.job_dropped(job_id)

    def _clear(self, job_id: str) -> None:
        self._artefacts.delete_all(upload_name(job_id))
        self._discard(job_id)
        self._signals.job_ended(job_id)
