"""What follows from the end of a job, in the transaction that ends it: a message that is due, also for its batch, and a line of the audit trail."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import BatchClosedError, NotReadyError, UnknownBatchError
from app.records.audit import Deed, append, model_in_words
from app.records.tables import BatchRow, JobRow, PackageWishRow, PlanRow, WebhookRow

RETRY_AFTER_S: Final = 5


def on_finished(session: Session, jobs: Sequence[JobRow], now: datetime, sha256: str = "") -> None:
    """Note whom to tell that jobs are finished, and write down that they are.

    Call once no more rows of jobs are to be changed: all lock jobs first, then batches, then the end of the audit trail.

    Args:
        session: Of the transaction that ends them.
        jobs: In their last state.
        now: When that was.
        sha256: Of the package that answered, where one did.
    """
    for job in jobs:
        if job.webhook_url is not None:
            session.add(_message(job.id, f"prediction.{job.state}", job.webhook_url, now))
    # Each once: a batch may have thousands of these jobs. In one order: two that end jobs of the same batches never wait for each other.
    for batch_id in sorted({job.batch_id for job in jobs if job.batch_id is not None}):
        on_batch_changed(session, batch_id, now)
    if jobs:
        append(session, [_deed(job, now, sha256) for job in jobs])


def _deed(job: JobRow, now: datetime, sha256: str) -> Deed:
    """Of the service itself: who asked for it stands in the line of the request that it was accepted with."""
    return Deed(
        subject="service",
        kind="service",
        action=f"job {job.state}",
        object_id=job.id,
        model=model_in_words(job.model_name, job.model_version, sha256),
        outcome=json.loads(job.problem)["code"] if job.problem else "ok",
        moment=now,
    )


def on_batch_changed(session: Session, batch_id: str, now: datetime) -> None:
    """Note whom to tell that a closed batch is finished, where this change finished it."""
    # Locked: of two jobs that end at the same time, the later one sees the end of the earlier.
    batch = session.scalars(select(BatchRow).where(BatchRow.id == batch_id).with_for_update()).one()
    if batch.webhook_url is None or batch.closed is None or session.get(WebhookRow, batch_id) is not None:
        return
    session.flush()
    still_open = select(func.count(JobRow.id)).where(
        JobRow.batch_id == batch_id, JobRow.state.in_(("queued", "running"))
    )
    if not session.scalars(still_open).one():
        session.add(_message(batch_id, "batch.finished", batch.webhook_url, now))


def hold_open(session: Session, batch_id: str | None) -> None:
    """Keep a batch from being closed while a job is added to it; others may add theirs at the same time.

    Before the job, whose foreign key locks the batch too: a lock that is raised later is a deadlock with all who do the same.
    """
    if batch_id is not None:
        session.execute(select(BatchRow.closed).where(BatchRow.id == batch_id).with_for_update(read=True))


def refuse_closed(session: Session, batch_id: str | None) -> None:
    """Judge whether a batch takes a job that was added. After it: on SQLite the addition is what keeps others from writing.

    Raises:
        BatchClosedError: It takes no more.
    """
    if batch_id is None:
        return
    if session.scalars(select(BatchRow.closed).where(BatchRow.id == batch_id)).one() is not None:
        raise BatchClosedError("Expected a batch that is open; this one was closed. Make another one.")


def hold_plan(session: Session) -> None:
    """Keep a package from being unloaded while a job for it is added; others may add theirs at the same time."""
    session.execute(select(PlanRow.revision).with_for_update(read=True))


def refuse_unwanted(session: Session, model: tuple[str, int]) -> None:
    """Judge whether a package is still served for which a job was added: it may have been unloaded since its case was judged.

    Raises:
        NotReadyError: It was.
    """
    wish = session.get(PackageWishRow, model)
    if wish is not None and not wish.wanted:
        raise NotReadyError(
            "Expected a package that is served; this one was unloaded meanwhile. Choose another version, see GET /models.",
            retry_after_s=RETRY_AFTER_S,
        )


def _message(subject_id: str, event: str, url: str, now: datetime) -> WebhookRow:
    return WebhookRow(id=subject_id, url=url, event=event, state="waiting", attempt=0, due=now, created=now)


def unknown_batch() -> UnknownBatchError:
    """The error that says so."""
    return UnknownBatchError("Expected the id of a batch; none has this one. Make one with POST /batches.")
