"""The parts around jobs, real ones: a database, folders, a package, and what is done with a job."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore
from app.imaging.load import LoadedCase, load_case
from app.inference.lost_device import DEVICE_LOST
from app.inference.predictor import Predictor
from app.inference.ticket import Urgency
from app.jobs.request import upload_name
from app.jobs.service import JobLimits, JobService, Wanted
from app.jobs.signals import Signals
from app.jobs.worker import JobWorker
from app.metrics import Metrics
from app.model_package.naming import Reference
from app.model_package.store import ModelStore
from app.predictions.case import Case
from app.predictions.heatmaps import Heatmaps
from app.predictions.service import PredictionService
from app.records.artefacts import FolderArtefacts
from app.records.jobs import Job
from app.records.store import RecordStore
from app.serving.catalogue import Catalogue
from tests.support.records import tables_at
from tests.support.waiting import LONGEST_S

MOST = 3
MODEL = Reference("gos", 1)


@dataclass(frozen=True)
class Parts:
    """What belongs together.

    Attributes:
        folder: Of all that is kept.
        records: The database.
        artefacts: The files.
        service: Accepts jobs.
        worker: Works on them.
        accept: Accepts a case of an image.
        gate: Nothing is read while it is not set.
    """

    folder: Path
    records: RecordStore
    artefacts: FolderArtefacts
    service: JobService
    worker: JobWorker
    accept: Callable[..., Job]
    gate: threading.Event

    def claim(self) -> Job:
        """The next job, begun."""
        job = self.records.job_turns.claim("me", [("gos", 1)], Urgency.BATCH, datetime.now(UTC))
        assert job is not None
        return job

    def state(self, job: Job) -> str:
        """Of a job, now."""
        return self.records.jobs.get(job.id).state

    def files(self) -> set[str]:
        """Kinds of files that there are: of jobs, of heatmaps, of cases."""
        return {
            kind
            for kind in ("jobs", "heatmaps", "cases")
            if any(path.is_file() for path in (self.folder / kind).rglob("*"))
        }


@pytest.fixture
def parts(tmp_path: Path, tiny_store: Path, gos_predictor: Predictor, head_ct: Path) -> Iterator[Parts]:
    metrics, signals, artefacts = Metrics(), Signals(), FolderArtefacts(tmp_path)
    gate = threading.Event()
    gate.set()

    def load_when_open(*case: Any, **wishes: Any) -> LoadedCase:
        assert gate.wait(LONGEST_S)
        return load_case(*case, **wishes)

    catalogue = Catalogue(ModelStore(tiny_store), lambda _: gos_predictor, metrics)
    catalogue.prepare(MODEL)
    with closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as records:
        cases = CaseStore(tmp_path / "cases", KeepingLimits(3600, 10**9))
        predictions = PredictionService(
            records.predictions, Heatmaps(artefacts), cases, metrics, load_when_open
        )
        worker = JobWorker(
            records.job_turns, records.jobs, artefacts, catalogue, predictions, signals, metrics
        )
        service = JobService(
            records.jobs, artefacts, JobLimits(MOST, attempts=2), signals, predictions.discard
        )

        def accept(key: str | None = None, fingerprint: str = "", batch: str | None = None) -> Job:
            case = Case((), {"age": 71})
            folder = tmp_path / "uploads" / case.id
            folder.mkdir(parents=True)
            (folder / "000000").write_bytes(head_ct.read_bytes())
            return service.accept(Wanted(case, MODEL, Urgency.BATCH, fingerprint, key, None, batch), folder)

        yield Parts(tmp_path, records, artefacts, service, worker, accept, gate)


@pytest.fixture
def lose_device() -> Iterator[Callable[[], None]]:
    """Have the GPU lost to this process, until the test ends."""
    yield DEVICE_LOST.set
    DEVICE_LOST.clear()


def counted(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Jobs that ended, by state and problem code, as they are told to Prometheus."""
    return {
        (sample.labels["state"], sample.labels["code"]): sample.value
        for family in metrics.jobs_finished.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def has_upload(parts: Parts, job: Job) -> bool:
    """Whether the files of a job are there."""
    return any(parts.artefacts.names(upload_name(job.id)))
