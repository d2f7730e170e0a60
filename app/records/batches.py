"""Keep and find batches of jobs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.records.job_acceptance import unknown_batch
from app.records.job_events import on_batch_changed
from app.records.jobs import Job
from app.records.tables import BatchRow, JobRow, PredictionRow, kept_as

READ_AT_ONCE: Final = 200


@dataclass(frozen=True)
class Batch:
    """Cases that were sent together; the members are explained in `app.records.tables.BatchRow`."""

    id: str
    model_name: str
    model_version: int
    priority: int
    webhook_url: str | None
    created: datetime
    closed: datetime | None = None
    caller: str = ""
    idempotency_key: str | None = None
    fingerprint: str | None = None


class BatchRecords:
    """The table of batches.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, batch: Batch) -> Batch:
        """Keep a batch.

        Returns:
            The batch, or the one that was made earlier under the same key of the same caller.
        """
        try:
            with Session(self._engine) as session, session.begin():
                session.add(BatchRow(**vars(batch)))
        except IntegrityError:
            earlier = self.under_key(batch.caller, batch.idempotency_key)
            if earlier is None:
                raise
            return earlier
        return batch

    def under_key(self, caller: str, key: str | None) -> Batch | None:
        """The batch that was made under a caller's own key, or None."""
        if key is None:
            return None
        query = select(BatchRow).where(BatchRow.caller == caller, BatchRow.idempotency_key == key)
        with Session(self._engine) as session:
            row = session.scalars(query).first()
            return None if row is None else kept_as(Batch, row)

    def get(self, batch_id: str) -> Batch:
        """Find a batch.

        Raises:
            UnknownBatchError: None has this id.
        """
        with Session(self._engine) as session:
            row = session.get(BatchRow, batch_id)
            if row is None:
                raise unknown_batch()
            return kept_as(Batch, row)

    def close(self, batch_id: str, now: datetime) -> None:
        """Take no more cases; nothing happens where it was closed before.

        Raises:
            UnknownBatchError: None has this id.
        """
        self.get(batch_id)
        closing = (
            update(BatchRow).where(BatchRow.id == batch_id, BatchRow.closed.is_(None)).values(closed=now)
        )
        with Session(self._engine) as session, session.begin():
            session.execute(closing)
            on_batch_changed(session, batch_id, now)

    def results(self, batch_id: str) -> Iterator[list[tuple[Job, str | None]]]:
        """Every job of a batch with the document of its answer, in the order in which they were accepted.

        Each part is a query of its own: a slow reader keeps no connection and no snapshot of the database.
        """
        last = ""
        while part := self._results(batch_id, last):
            yield part
            last = part[-1][0].id

    def _results(self, batch_id: str, after: str) -> list[tuple[Job, str | None]]:
        query = (
            select(JobRow, PredictionRow.document)
            .outerjoin(PredictionRow, PredictionRow.id == JobRow.id)
            .where(JobRow.batch_id == batch_id, JobRow.id > after)
            .order_by(JobRow.id)
            .limit(READ_AT_ONCE)
        )
        with Session(self._engine) as session:
            return [(kept_as(Job, row), document) for row, document in session.execute(query)]

    def delete_empty(self, before: datetime) -> int:
        """Forget batches that were made before a moment and have no jobs any more. The number of batches."""
        has_jobs = select(JobRow.id).where(JobRow.batch_id == BatchRow.id).exists()
        old = (
            select(BatchRow.id).where(BatchRow.created < before, ~has_jobs).with_for_update(skip_locked=True)
        )
        with Session(self._engine) as session, session.begin():
            # Held first, and judged again: a job may be accepted while the first statement runs, and would go with its batch.
            held = session.scalars(old).all()
            gone = delete(BatchRow).where(BatchRow.id.in_(held), ~has_jobs).returning(BatchRow.id)
            return len(session.scalars(gone).all())
