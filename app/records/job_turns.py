"""Jobs as those who work on them see them: claimed under a lease, ended in one transaction, taken over from the dead.

Every write of a runner is guarded by the number of its attempt. That number goes up with each claim and never down, so
a runner that was thought dead and was not (a stopped process, a cut network) changes nothing any more: it is fenced
off, and of two answers to one job only one can be kept.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Update, and_, case, false, literal, or_, select, update
from sqlalchemy.orm import Session

from app.records.job_events import on_finished
from app.records.job_problem import StoredProblem
from app.records.jobs import Job, finishing
from app.records.predictions import KeptPrediction
from app.records.tables import JobRow, PredictionRow, UtcDateTime, kept_as

PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (0, 10, 20, 30))
"""Before a job is begun again that was interrupted once, twice and so on; a service that ends again and again for another reason
does not use up the job's chances in a moment."""
Model = tuple[str, int]
"""Name and version of a package."""
LEASE: Final = timedelta(seconds=60)
"""How long a claim holds without being renewed: long beside a pause of the machine, and beside the skew of clocks between machines that share a database."""

SET_BACK: Final = timedelta(minutes=10)
"""What lies further in the future was written before the clock was set back: no pause and no lease of ours is so long."""


@dataclass(frozen=True)
class Held:
    """A job that a runner holds.

    Attributes:
        id: The job.
        attempt: The attempt that holds it.
        cancelling: Whether it is to be dropped.
    """

    id: str
    attempt: int
    cancelling: bool


class JobTurns:
    """The table of jobs, for runners.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self, models: Iterable[Model], now: datetime) -> set[int]:
        """The priorities of which there are jobs that could be begun now, for one of these models."""
        query = select(JobRow.priority).where(*_claimable(models, now)).distinct()
        with Session(self._engine) as session:
            return set(session.scalars(query))

    def claim(self, owner: str, models: Iterable[Model], priority: int, now: datetime) -> Job | None:
        """Begin the oldest job of a priority for one of these models; None where there is none."""
        # One statement, so that it is one decision; other runners pass over the row that is being decided on.
        oldest = (
            select(JobRow.id)
            .where(*_claimable(models, now), JobRow.priority == priority)
            .order_by(JobRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        begin = (
            update(JobRow)
            .where(JobRow.id == oldest, JobRow.state == "queued")
            .values(
                state="running",
                attempt=JobRow.attempt + 1,
                chances=JobRow.chances - 1,
                owner=owner,
                lease_until=now + LEASE,
                started=now,
            )
            .returning(JobRow)
        )
        with Session(self._engine) as session, session.begin():
            row = session.scalars(begin).first()
            return None if row is None else kept_as(Job, row)

    def renew(self, owner: str, job_ids: Collection[str], now: datetime) -> list[Held]:
        """Go on holding jobs; those that are no longer held by their owner are missing from the answer."""
        if not job_ids:
            return []
        renewal = (
            update(JobRow)
            .where(JobRow.id.in_(job_ids), JobRow.owner == owner, JobRow.state == "running")
            .values(lease_until=now + LEASE)
            .returning(JobRow.id, JobRow.attempt, JobRow.cancelling)
        )
        with Session(self._engine) as session, session.begin():
            return [Held(*row) for row in session.execute(renewal)]

    def put_back(self, job: Job, due: datetime, *, free: bool) -> bool:
        """Let a job wait again, unless it was cancelled meanwhile: nobody would drop it then.

        Args:
            job: As claimed.
            due: Not before.
            free: Whether the attempt costs no chance: it was not the job's fault.

        Returns:
            Whether it waits: this attempt still held it, and it was not cancelled.
        """
        changes: dict[str, Any] = {"state": "queued", "due": due, "owner": None, "lease_until": None}
        if free:
            changes["chances"] = JobRow.chances + 1
        with Session(self._engine) as session, session.begin():
            back = _held(job).where(~JobRow.cancelling).values(changes)
            return session.scalars(back.returning(JobRow.id)).first() is not None

    def done(self, job: Job, prediction: KeptPrediction, now: datetime) -> bool:
        """Keep the answer of a job and end it, in one transaction.

        Returns:
            Whether this attempt still held the job, and it was not cancelled; where not, nothing was kept.
        """
        with Session(self._engine) as session, session.begin():
            ending = _held(job).where(~JobRow.cancelling)
            done = _ended(session, ending, finishing("done", now))
            if done:
                session.add(PredictionRow(**vars(prediction)))
                on_finished(session, done, now, prediction.model_sha256)
            return bool(done)

    def failed(self, job: Job, problem: StoredProblem, now: datetime) -> bool:
        """End a job that cannot be answered; whether this attempt still held it."""
        with Session(self._engine) as session, session.begin():
            return bool(_end(session, _held(job), finishing("failed", now, problem), now))

    def dropped(self, job: Job, now: datetime) -> bool:
        """End a job, if it was cancelled; whether it was, and this attempt still held it."""
        with Session(self._engine) as session, session.begin():
            return bool(_end(session, _held(job).where(JobRow.cancelling), finishing("cancelled", now), now))

    def give_up(self, before: datetime, problem: StoredProblem, now: datetime) -> list[Job]:
        """End jobs that wait since before a moment; they, as they are now."""
        waiting = update(JobRow).where(JobRow.state == "queued", JobRow.created < before)
        with Session(self._engine) as session, session.begin():
            return _end(session, waiting, finishing("failed", now, problem), now)

    def take_over(
        self, now: datetime, owner: str | None, problem: StoredProblem
    ) -> tuple[Sequence[str], list[Job]]:
        """Let jobs of dead runners wait again, or end those that have no chance left.

        Args:
            now: Leases that ended before are over.
            owner: A runner that is known to be dead, whatever its leases say; None for none.
            problem: Why a job without chances ends.

        Returns:
            Ids of the jobs that wait again, and those that ended, as they are now.
        """
        dead = or_(JobRow.lease_until < now, JobRow.lease_until > now + SET_BACK)
        if owner is not None:
            dead = or_(dead, JobRow.owner == owner)
        orphaned = update(JobRow).where(JobRow.state == "running", dead)
        again = {"state": "queued", "due": _due_again(now), "owner": None, "lease_until": None}
        with Session(self._engine) as session, session.begin():
            cancelled = _ended(session, orphaned.where(JobRow.cancelling), finishing("cancelled", now))
            failed = _ended(session, orphaned.where(JobRow.chances <= 0), finishing("failed", now, problem))
            # One that is cancelled since the first of these statements is ended the next time.
            let_go = orphaned.where(~JobRow.cancelling).values(again)
            waiting = session.scalars(let_go.returning(JobRow.id)).all()
            on_finished(session, (*cancelled, *failed), now)
            return waiting, [kept_as(Job, row) for row in (*cancelled, *failed)]


def _due_again(now: datetime) -> ColumnElement[datetime]:
    """When an interrupted job is begun again: what brings the process down lets others by."""
    moments = [literal(now + pause, UtcDateTime()) for pause in PAUSES]
    known = [(JobRow.attempt == attempt, moment) for attempt, moment in enumerate(moments, start=1)]
    return case(*known, else_=moments[-1])


def _claimable(models: Iterable[Model], now: datetime) -> tuple[ColumnElement[bool], ...]:
    answered = [and_(JobRow.model_name == name, JobRow.model_version == version) for name, version in models]
    is_due = or_(JobRow.due <= now, JobRow.due > now + SET_BACK)
    return JobRow.state == "queued", is_due, or_(false(), *answered)


def _held(job: Job) -> Update:
    return update(JobRow).where(JobRow.id == job.id, JobRow.attempt == job.attempt, JobRow.state == "running")


def _end(session: Session, ending: Update, values: dict[str, Any], now: datetime) -> list[Job]:
    """Bring jobs to their last state, with all that follows from it; they, as they are now."""
    rows = _ended(session, ending, values)
    on_finished(session, rows, now)
    return [kept_as(Job, row) for row in rows]


def _ended(session: Session, ending: Update, values: dict[str, Any]) -> Sequence[JobRow]:
    return session.scalars(ending.values(values).returning(JobRow)).all()
