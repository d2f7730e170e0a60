"""Whether a job may be added, judged in the transaction that adds it: its batch may be closed, and its package unloaded, at the same time."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import BatchClosedError, NotReadyError, UnknownBatchError
from app.records.tables import BatchRow, JobRow, PackageWishRow, PlanRow

RETRY_AFTER_S: Final = 5


def hold(session: Session, batch_id: str | None) -> None:
    """Keep a batch from being closed, and packages from being unloaded, while a job is added; others may add theirs at the same time.

    Before the job, whose foreign key locks the batch too: a lock that is raised later is a deadlock with all who do the same.
    """
    if batch_id is not None:
        session.execute(select(BatchRow.closed).where(BatchRow.id == batch_id).with_for_update(read=True))
    session.execute(select(PlanRow.revision).with_for_update(read=True))


def judge(session: Session, job: JobRow) -> None:
    """Refuse a job that was added, where it came too late. After it: on SQLite the addition is what keeps others from writing.

    Raises:
        BatchClosedError: Its batch takes no more.
        NotReadyError: Its package was unloaded since its case was judged.
    """
    batch = None if job.batch_id is None else session.get_one(BatchRow, job.batch_id)
    if batch is not None and batch.closed is not None:
        raise BatchClosedError("Expected a batch that is open; this one was closed. Make another one.")
    wish = session.get(PackageWishRow, (job.model_name, job.model_version))
    if wish is not None and not wish.wanted:
        raise NotReadyError(
            "Expected a package that is served; this one was unloaded meanwhile. Choose another version, see GET /models.",
            retry_after_s=RETRY_AFTER_S,
        )


def unknown_batch() -> UnknownBatchError:
    """The error that says so."""
    return UnknownBatchError("Expected the id of a batch; none has this one. Make one with POST /batches.")
