"""What follows from the end of a job, in the transaction that ends it: a message that is due, also for its batch."""

from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.errors import BatchClosedError, UnknownBatchError
from app.records.tables import BatchRow, JobRow, WebhookRow


def on_finished(session: Session, job: JobRow, now: datetime) -> None:
    """Note whom to tell that a job is finished."""
    if job.webhook_url is not None:
        session.add(_message(job.id, f"prediction.{job.state}", job.webhook_url, now))
    if job.batch_id is not None:
        on_batch_changed(session, job.batch_id, now)


def on_batch_changed(session: Session, batch_id: str, now: datetime) -> None:
    """Note whom to tell that a closed batch is finished, where this change finished it."""
    # Locked: of two jobs that end at the same time, the later one sees the end of the earlier.
    batch = session.scalars(_locked(batch_id)).one()
    if batch.webhook_url is None or batch.closed is None or session.get(WebhookRow, batch_id) is not None:
        return
    session.flush()
    still_open = select(func.count(JobRow.id)).where(
        JobRow.batch_id == batch_id, JobRow.state.in_(("queued", "running"))
    )
    if not session.scalars(still_open).one():
        session.add(_message(batch_id, "batch.finished", batch.webhook_url, now))


def refuse_closed(session: Session, batch_id: str | None) -> None:
    """Judge, inside the transaction that adds a job, whether its batch takes it.

    Raises:
        BatchClosedError: It takes no more.
    """
    if batch_id is not None and session.scalars(_locked(batch_id)).one().closed is not None:
        raise BatchClosedError("Expected a batch that is open; this one was closed. Make another one.")


def _locked(batch_id: str) -> Select[BatchRow]:
    return select(BatchRow).where(BatchRow.id == batch_id).with_for_update()


def _message(subject_id: str, event: str, url: str, now: datetime) -> WebhookRow:
    return WebhookRow(id=subject_id, url=url, event=event, state="waiting", attempt=0, due=now, created=now)


def unknown_batch() -> UnknownBatchError:
    """The error that says so."""
    return UnknownBatchError("Expected the id of a batch; none has this one. Make one with POST /batches.")
