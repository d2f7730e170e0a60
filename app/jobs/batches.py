"""Batches: cases that are sent one by one and belong together."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from app.identifiers import uuid7
from app.inference.ticket import Urgency
from app.jobs.batch_csv import batch_csv, labels_of
from app.jobs.request import require_same
from app.jobs.service import JobService
from app.model_package.manifest import Manifest
from app.model_package.naming import Reference
from app.records.batches import Batch, BatchRecords
from app.records.jobs import JobRecords, JobState


@dataclass(frozen=True)
class Asked:
    """A request for a batch.

    Attributes:
        caller: Who makes it.
        key: The caller's own name for the request.
        fingerprint: Digest of the request.
    """

    caller: str
    key: str | None
    fingerprint: str


class BatchService:
    """Makes, closes and cancels batches.

    Args:
        batches: The table of batches.
        jobs: The table of jobs.
        service: Cancels jobs.
    """

    def __init__(self, batches: BatchRecords, jobs: JobRecords, service: JobService) -> None:
        self._batches = batches
        self._jobs = jobs
        self._service = service

    def earlier(self, asked: Asked) -> Batch | None:
        """The batch that the same request made before, under the same key.

        Raises:
            IdempotencyKeyReusedError: Another request made a batch under the key.
        """
        batch = self._batches.under_key(asked.caller, asked.key)
        return None if batch is None else require_same(batch, asked.fingerprint)

    def make(self, model: Reference, urgency: Urgency, webhook_url: str | None, asked: Asked) -> Batch:
        """A new batch, open.

        Args:
            model: Package and version that answer every case of it.
            urgency: Of its jobs.
            webhook_url: Who is told when it is closed and finished; judged already.
            asked: The request.

        Returns:
            The batch, or that of `earlier`, where the same key came twice at the same time and the other one was first.

        Raises:
            IdempotencyKeyReusedError: As `earlier`.
        """
        batch = Batch(
            id=str(uuid7()),
            model_name=model.name,
            model_version=model.version,
            priority=urgency,
            webhook_url=webhook_url,
            created=datetime.now(UTC),
            caller=asked.caller,
            idempotency_key=asked.key,
            fingerprint=asked.fingerprint,
        )
        return require_same(self._batches.add(batch), asked.fingerprint)

    def get(self, batch_id: str) -> Batch:
        """Find a batch.

        Raises:
            UnknownBatchError: None has this id.
        """
        return self._batches.get(batch_id)

    def counts(self, batch_id: str) -> dict[JobState, int]:
        """How many of its jobs are in each state."""
        return self._jobs.counts(batch_id)

    def table(self, batch: Batch, manifest: Manifest | None) -> Iterator[str]:
        """What came of it, as CSV in pieces.

        Args:
            batch: The batch.
            manifest: Of its package, where it is at hand.
        """
        found = self._batches.results(batch.id)
        classes = [each.label for each in manifest.outputs.classes] if manifest else labels_of(found)
        return batch_csv(self._batches.results(batch.id), classes)

    def close(self, batch_id: str) -> Batch:
        """Take no more cases; nothing happens where it was closed before.

        Raises:
            UnknownBatchError: None has this id.
        """
        self._batches.close(batch_id, datetime.now(UTC))
        return self._batches.get(batch_id)

    def cancel(self, batch_id: str) -> Batch:
        """Close a batch and drop every job of it that is not finished.

        Raises:
            UnknownBatchError: None has this id.
        """
        batch = self.close(batch_id)
        self._service.cancel_batch(batch_id)
        return batch
