"""One attempt at one job: from its claim to its end, or back to those that wait."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from app.errors import (
    JobInterruptedError,
    NeuroFuseError,
    NotReadyError,
    ServiceError,
    StorageUnavailableError,
)
from app.inference.lost_device import DEVICE_LOST
from app.inference.ticket import AbandonedError, current_ticket
from app.jobs.request import read_request, upload_name
from app.jobs.signals import Signals
from app.metrics import Metrics
from app.predictions.service import PredictionService
from app.records.artefacts import Artefacts
from app.records.faults import explain_disk
from app.records.job_problem import StoredProblem
from app.records.job_turns import JobTurns
from app.records.jobs import Job, JobRecords
from app.records.predictions import KeptPrediction
from app.serving.catalogue import Catalogue
from app.serving.entry import require_ready
from app.telemetry import log_fault
from app.tracing import span

BACK_OFF_S: Final = 5.0
"""Before a job that met a fault is tried again; twice as long each time, up to a bound."""
LONGEST_BACK_OFF_S: Final = 300.0
MOST_DOUBLINGS: Final = 10

log = structlog.stdlib.get_logger(__name__)


class LostError(Exception):
    """The job is no longer held: it was cancelled, deleted, or another runner took it over."""


INTERRUPTED: Final = StoredProblem.of(
    JobInterruptedError(
        "Expected the service to live until the job is done; it ended in the middle each time the job was tried. "
        "See its log and its memory, then send the case again, with another Idempotency-Key where it had one."
    )
)
NO_UPLOAD: Final = (
    "Expected the images of the job where NEUROFUSE_ARTEFACTS says; they are not there. Processes that share a database must share "
    "that place too. Send the case again, with another Idempotency-Key where it had one."
)
FAULT: Final = StoredProblem.of(
    NeuroFuseError("The job failed by a fault of the service; its log says where.")
)


@dataclass(frozen=True)
class JobWorker:
    """What a runner does with a job it has claimed; used from many threads.

    Attributes:
        turns: The table of jobs, for runners.
        jobs: The same, for those who ask.
        artefacts: Where uploads are kept.
        catalogue: Packages.
        predictions: The use case.
        signals: Tell those who wait for the end.
        metrics: Where ends are counted.
    """

    turns: JobTurns
    jobs: JobRecords
    artefacts: Artefacts
    catalogue: Catalogue
    predictions: PredictionService
    signals: Signals
    metrics: Metrics

    def work(self, job: Job, waited_s: float) -> None:
        """Answer a job, or note why not; raises nothing that a case can cause.

        Args:
            job: As claimed.
            waited_s: Seconds it waited for its turn.
        """
        try:
            with span("job", link=job.traceparent, prediction_id=job.id, attempt=job.attempt):
                self._answer(job, waited_s)
        except LostError:
            self._on_lost(job)
        except AbandonedError:
            self._on_abandoned(job)
        except (NotReadyError, StorageUnavailableError):
            self._wait(job)
        except ServiceError as error:
            # Of a job that has ended it must not read as what passes (503): its sender would wait for it for ever.
            given_up = NeuroFuseError(
                f"The job was tried as often as it may be, and ended so: {error.detail}"
            )
            self._try_again(job, StoredProblem.of(given_up), error.code)
        except NeuroFuseError as error:
            self._fail(job, StoredProblem.of(error), error.code)
        except Exception as error:  # noqa: BLE001 - a job is tried again, whatever happened
            self._on_fault(job, error)

    def _answer(self, job: Job, waited_s: float) -> None:
        if job.attempt > 1:
            self.predictions.discard(job.id)  # what an attempt left that was cut short
        model = f"{job.model_name}@{job.model_version}"
        with ExitStack() as held:
            try:
                folder = held.enter_context(self.artefacts.local(upload_name(job.id)))
            except FileNotFoundError:
                log.error("job-upload-missing", prediction_id=job.id)  # noqa: TRY400 - whose cause is the operator's
                raise ServiceError(NO_UPLOAD) from None
            case = read_request(job, folder)
            predictor = require_ready(self.catalogue.entry(model))
            self.predictions.predict(case, predictor, waited_s, lambda answer: self._keep(job, answer))
        self._count(job, "done")
        self._clean_up(job)

    def _keep(self, job: Job, prediction: KeptPrediction) -> None:
        current_ticket().check()
        if not self.turns.done(job, prediction, datetime.now(UTC)):
            raise LostError

    def _wait(self, job: Job) -> None:
        """Its package went after the claim, and other runners may have it; or a store is gone for a while: that is no fault of the case.

        That the GPU is lost, with which this process ends, may be one: such a case would end one process after the other.
        """
        if DEVICE_LOST.is_set():
            self._try_again(job, INTERRUPTED, JobInterruptedError.code)
        else:
            self.put_back(job, _in(BACK_OFF_S), free=True)

    def put_back(self, job: Job, due: datetime, *, free: bool) -> None:
        """Let a job wait again; where it is not ours any more, or was cancelled, see to that. Arguments as `JobTurns.put_back`."""
        if not self.turns.put_back(job, due, free=free):
            self._on_lost(job)

    def ended_unseen(self, jobs: Iterable[Job]) -> None:
        """See to jobs that ended without an answer and without a turn here, as they are now: taken over from the dead, or given up."""
        ended = list(jobs)
        # All of them before the first file: a store that is away must not hide that they ended.
        for job in ended:
            self._count(job, job.state, job.problem.code if job.problem else "")
        for job in ended:
            self.predictions.discard(job.id)
            self._clean_up(job)

    def _on_fault(self, job: Job, error: Exception) -> None:
        if isinstance(error, OSError) and explain_disk(error) is not None:
            self._wait(job)
            return
        log_fault(log, "job-fault", error, prediction_id=job.id)
        self._try_again(job, FAULT, NeuroFuseError.code)

    def _try_again(self, job: Job, problem: StoredProblem, code: str) -> None:
        if job.chances <= 0:
            self._fail(job, problem, code)
        else:
            # Of a job that waited for storage, attempts are many thousands: no number holds two to that.
            pause_s = min(LONGEST_BACK_OFF_S, BACK_OFF_S * 2 ** min(job.attempt - 1, MOST_DOUBLINGS))
            self.put_back(job, _in(pause_s), free=False)
            log.warning("job-put-back", prediction_id=job.id, code=code)

    def _fail(self, job: Job, problem: StoredProblem, code: str) -> None:
        if self.turns.failed(job, problem, datetime.now(UTC)):
            self._count(job, "failed", code)
            self.predictions.discard(job.id)
            self._clean_up(job)

    def _on_abandoned(self, job: Job) -> None:
        """It was cancelled, or this process is told to stop."""
        if not self._drop(job):
            self.put_back(job, datetime.now(UTC), free=True)

    def _on_lost(self, job: Job) -> None:
        """It was cancelled, or another runner has it now; what that one wrote stands, and where it wrote no answer, we leave no files."""
        if self._drop(job):
            return
        now = self.jobs.find(job.id)
        if now is None or now.state in {"failed", "cancelled"}:
            self.predictions.discard(job.id)
        log.warning("job-lost", prediction_id=job.id)

    def _drop(self, job: Job) -> bool:
        dropped = self.turns.dropped(job, datetime.now(UTC))
        if dropped:
            self._count(job, "cancelled")
            self.predictions.discard(job.id)
            self._clean_up(job)
        return dropped

    def _count(self, job: Job, state: str, code: str = "") -> None:
        seconds = (datetime.now(UTC) - job.created).total_seconds()
        # Below 0 where the clock was set back meanwhile: Prometheus would take a smaller sum for a process that began anew.
        self.metrics.job_seconds.labels(job.model_name).observe(max(0.0, seconds))
        self.metrics.jobs_finished.labels(state, code).inc()
        log.info("job-finished", prediction_id=job.id, state=state, code=code)

    def _clean_up(self, job: Job) -> None:
        """Of a job that has ended; where a store is away now, the sweep removes what is left."""
        self.signals.job_ended(job.id)
        self.artefacts.delete_all(upload_name(job.id))


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
