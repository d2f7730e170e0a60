"""Everything about jobs in one process, put together and run together."""

import time
from collections.abc import Callable
from datetime import timedelta

import anyio

from app.jobs.addresses import AllowedAddresses
from app.jobs.batches import BatchService
from app.jobs.delivery import Deliveries
from app.jobs.runner import JobRunner, runner_identity
from app.jobs.sender import WebhookSender
from app.jobs.service import JobLimits, JobService
from app.jobs.sweep import JobSweep
from app.jobs.worker import JobWorker
from app.predictions.admission import Admission
from app.records.leftovers import PATIENCE_S, Leftovers
from app.records.remote_artefacts import patience_s
from app.records.store import RecordStore
from app.setting_values import webhook_key
from app.settings import Settings


class JobRoom:
    """The parts.

    Args:
        settings: The operator's choices.
        records: The database.
        worker: What is done with a job.
        admission: The queue that jobs share with interactive cases.

    Attributes:
        records: The table of jobs.
        service: Accepts and cancels them.
        batches: Makes, finds and cancels batches.
        addresses: Where webhooks may go.
        webhooks: What became of them.
        signals: Short cuts inside this process.
        sweep: Removes what is over.
    """

    def __init__(
        self, settings: Settings, records: RecordStore, worker: JobWorker, admission: Admission
    ) -> None:
        limits = JobLimits(settings.job_limit, settings.job_attempts)
        self.signals = worker.signals
        self.records = records.jobs
        self.service = JobService(
            records.jobs, worker.artefacts, limits, worker.signals, worker.predictions.discard
        )
        self.batches = BatchService(records.batches, records.jobs, self.service)
        self.addresses = AllowedAddresses(settings.webhook_hosts, signed=bool(settings.webhook_secret))
        self.webhooks = records.webhooks
        self.sweep = JobSweep(records, worker, timedelta(days=settings.job_days), leftovers_of(settings))
        # Without a secret too: no address is allowed then, so that what still waits is given up, and nothing is signed.
        key = webhook_key(settings.webhook_secret) if settings.webhook_secret else b""
        self._deliveries = Deliveries(
            self.webhooks, self.addresses, WebhookSender(key), self.signals, worker.metrics
        )
        self._runner = JobRunner(worker, admission, settings.cases_at_once, runner_identity(settings.data))

    async def run(self) -> None:
        """Answer jobs and deliver webhooks until cancelled."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._runner.run)
            group.start_soon(self._deliveries.run)


def leftovers_of(settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> Leftovers:
    """Tell files of jobs that were never accepted from those that are about to be: a slow store shows the first long before it has the last."""
    largest = max(settings.max_upload_bytes, settings.max_unpacked_bytes)
    return Leftovers(patience_s(largest) + PATIENCE_S, monotonic)
