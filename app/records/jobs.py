"""Keep and find jobs: cases that were accepted, to be answered in their own time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import ColumnElement, Engine, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import JobFinishedError, UnknownJobError
from app.records.job_acceptance import hold, judge, unknown_batch
from app.records.job_events import on_finished
from app.records.job_problem import StoredProblem
from app.records.parts import in_parts
from app.records.tables import JobRow, kept_as

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
OPEN: Final[tuple[JobState, ...]] = ("queued", "running")
FINISHED: Final[tuple[JobState, ...]] = ("done", "failed", "cancelled")
_OPEN_COUNTS: Final = (
    select(JobRow.state, func.count(JobRow.id)).where(JobRow.state.in_(OPEN)).group_by(JobRow.state)
)
"""Asked every second: made once."""


@dataclass(frozen=True)
class Job:
    """One accepted case; the members are explained in `app.records.tables.JobRow`."""

    id: str
    state: JobState
    priority: int
    model_name: str
    model_version: int
    request: str | None
    created: datetime
    due: datetime
    chances: int
    caller: str = ""
    idempotency_key: str | None = None
    fingerprint: str | None = None
    reference: str | None = None
    attempt: int = 0
    owner: str | None = None
    lease_until: datetime | None = None
    cancelling: bool = False
    problem: StoredProblem | None = None
    webhook_url: str | None = None
    batch_id: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    traceparent: str | None = None


@dataclass(frozen=True)
class JobSelection:
    """Which jobs are wanted; what is None does not narrow.

    Attributes:
        state: Only these.
        batch_id: Only those of this batch.
        caller: Only those that this caller sent.
    """

    state: JobState | None = None
    batch_id: str | None = None
    caller: str | None = None


class JobRecords:
    """The table of jobs, as those who ask see it; `app.records.job_turns` is the side of those who work.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, job: Job) -> Job:
        """Accept a job; when this returns, a power cut does not lose it.

        Returns:
            The job, or the one that was accepted earlier under the same key of the same caller.

        Raises:
            UnknownBatchError: There is no such batch.
            BatchClosedError: The batch takes no more jobs.
            NotReadyError: Its package was unloaded.
        """
        with Session(self._engine) as session:
            try:
                with session.begin():
                    hold(session, job.batch_id)
                    row = JobRow(**vars(job))
                    session.add(row)
                    session.flush()
                    judge(session, row)
            except IntegrityError:
                earlier = (
                    None if job.idempotency_key is None else self.under_key(job.caller, job.idempotency_key)
                )
                if earlier is None and job.batch_id is not None:
                    raise unknown_batch() from None
                if earlier is None:
                    raise
                return earlier
        return job

    def get(self, job_id: str) -> Job:
        """Find a job.

        Raises:
            UnknownJobError: None has this id.
        """
        job = self.find(job_id)
        if job is None:
            raise unknown_job()
        return job

    def find(self, job_id: str) -> Job | None:
        """Find a job, or None."""
        with Session(self._engine) as session:
            row = session.get(JobRow, job_id)
            return None if row is None else kept_as(Job, row)

    def under_key(self, caller: str, key: str) -> Job | None:
        """The job that was accepted under a caller's own key, or None."""
        query = select(JobRow).where(JobRow.caller == caller, JobRow.idempotency_key == key)
        with Session(self._engine) as session:
            row = session.scalars(query).first()
            return None if row is None else kept_as(Job, row)

    def page(self, wanted: JobSelection, limit: int, offset: int) -> tuple[list[Job], int]:
        """Jobs from the latest to the first, and how many there are in all.

        Args:
            wanted: Which.
            limit: Most jobs.
            offset: Jobs before the first.
        """
        equal = {JobRow.state: wanted.state, JobRow.batch_id: wanted.batch_id, JobRow.caller: wanted.caller}
        narrowed = [column == value for column, value in equal.items() if value is not None]
        rows = select(JobRow).where(*narrowed).order_by(JobRow.id.desc()).limit(limit).offset(offset)
        count = select(func.count(JobRow.id)).where(*narrowed)
        with Session(self._engine) as session:
            return [kept_as(Job, row) for row in session.scalars(rows)], session.scalars(count).one()

    def cancel(self, job_id: str, now: datetime) -> Job:
        """Drop a job: at once where it waits, before the network runs where it is worked on.

        Raises:
            UnknownJobError: None has this id.
            JobFinishedError: It is done or has failed.
        """
        while True:
            job = self.get(job_id)
            if job.state in {"done", "failed"}:
                raise JobFinishedError(
                    f"Expected a job that can be cancelled; this one is {job.state}.", state=job.state
                )
            if job.state == "cancelled" or job.cancelling:
                return job
            # A job may change its state between two statements, and then neither meets it.
            self._drop(JobRow.id == job_id, now)

    def cancel_all(self, batch_id: str, now: datetime) -> tuple[Sequence[str], Sequence[str]]:
        """Drop every job of a batch that is not finished; ids of those that waited, and of those that are worked on."""
        dropped: list[str] = []
        marked: list[str] = []
        untouched = or_(JobRow.state == "queued", and_(JobRow.state == "running", ~JobRow.cancelling))
        left = select(JobRow.id).where(JobRow.batch_id == batch_id, untouched).limit(1)
        with Session(self._engine) as session:
            while session.scalars(left).first() is not None:
                session.rollback()  # so that the next look sees what others did meanwhile
                for ids, found in zip(
                    (dropped, marked), self._drop(JobRow.batch_id == batch_id, now), strict=True
                ):
                    ids.extend(found)
        return dropped, marked

    def _drop(self, which: ColumnElement[bool], now: datetime) -> tuple[Sequence[str], Sequence[str]]:
        waiting = update(JobRow).where(which, JobRow.state == "queued").values(finishing("cancelled", now))
        running = (
            update(JobRow).where(which, JobRow.state == "running", ~JobRow.cancelling).values(cancelling=True)
        )
        with Session(self._engine) as session, session.begin():
            dropped = session.scalars(waiting.returning(JobRow)).all()
            marked = session.scalars(running.returning(JobRow.id)).all()
            on_finished(session, dropped, now)
            return [row.id for row in dropped], marked

    def counts(self, batch_id: str) -> dict[JobState, int]:
        """How many jobs of a batch are in each state."""
        query = (
            select(JobRow.state, func.count(JobRow.id))
            .where(JobRow.batch_id == batch_id)
            .group_by(JobRow.state)
        )
        with Session(self._engine) as session:
            found = dict(session.execute(query).all())
        return {state: found.get(state, 0) for state in (*OPEN, *FINISHED)}

    def open_counts(self) -> dict[JobState, int]:
        """How many jobs wait and how many run."""
        with self._engine.connect() as connection:
            found = dict(connection.execute(_OPEN_COUNTS).all())
        return {state: found.get(state, 0) for state in OPEN}

    def states(self, job_ids: Collection[str]) -> dict[str, JobState]:
        """The state of each of these jobs; those that are none are missing."""
        query = select(JobRow.id, JobRow.state)
        with Session(self._engine) as session:
            return {
                job_id: cast("JobState", state)
                for part in in_parts(job_ids)
                for job_id, state in session.execute(query.where(JobRow.id.in_(part)))
            }

    def delete_finished(self, before: datetime) -> int:
        """Forget jobs that were finished before a moment; their answers stay. The number of jobs."""
        gone = delete(JobRow).where(JobRow.state.in_(FINISHED), JobRow.finished < before).returning(JobRow.id)
        with Session(self._engine) as session, session.begin():
            return len(session.scalars(gone).all())


def finishing(state: JobState, now: datetime, problem: StoredProblem | None = None) -> dict[str, Any]:
    """What changes in a row when its job reaches its last state: what was asked, a patient's, is forgotten."""
    return {
        "state": state,
        "finished": now,
        "problem": problem,
        "request": None,
        "owner": None,
        "lease_until": None,
    }


def unknown_job() -> UnknownJobError:
    """The error that says so."""
    return UnknownJobError("Expected the id of an accepted job; none has this one.")
