"""What follows from the end of a job, in the transaction that ends it: a message that is due, also for its batch, and a line of the audit trail."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.records.audit import Deed, append, model_in_words
from app.records.tables import BatchRow, JobRow, WebhookRow


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
        outcome=job.problem.code if job.problem else "ok",
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


def _message(subject_id: str, event: str, url: str, now: datetime) -> WebhookRow:
    return WebhookRow(id=subject_id, url=url, event=event, state="waiting", attempt=0, due=now, created=now)
