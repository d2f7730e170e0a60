"""A case that was deleted does not come back."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore
from app.errors import NotAHeadError, UnknownPredictionError
from app.inference.ticket import Urgency
from app.jobs.deleting import delete_case
from app.jobs.service import JobLimits, JobService
from app.jobs.signals import Signals
from app.metrics import Metrics
from app.predictions.heatmaps import Heatmaps
from app.predictions.service import PredictionService
from app.records.artefacts import FolderArtefacts
from app.records.job_problem import StoredProblem
from app.records.jobs import Job
from app.records.predictions import KeptPrediction
from app.records.store import RecordStore
from tests.support.records import tables_at

NOW: Final = datetime.now(UTC)
ANSWER: Final = KeptPrediction(
    "a", NOW, "gos", 1, "0" * 64, "{}", "gos", "gos_4", 0.7, abstained=False, out_of_distribution=False
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    """A database with the job `a`, which waits."""
    with closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as opened:
        opened.jobs.add(Job("a", "queued", Urgency.BATCH, "gos", 1, "{}", NOW, NOW, 3))
        yield opened


def begun(records: RecordStore) -> Job:
    job = records.job_turns.claim("me", [("gos", 1)], Urgency.BATCH, datetime.now(UTC))
    assert job is not None
    return job


def delete(records: RecordStore, folder: Path, at_last: Callable[[], object] = lambda: None) -> None:
    """Delete the case; `at_last` happens right after no answer was found."""

    class Predictions(PredictionService):
        def delete(self, prediction_id: str) -> None:
            try:
                super().delete(prediction_id)
            except UnknownPredictionError:
                at_last()
                raise

    artefacts = FolderArtefacts(folder)
    cases = CaseStore(folder / "cases", KeepingLimits(3600, 10**9))
    predictions = Predictions(records.predictions, Heatmaps(artefacts), cases, Metrics())
    limits = JobLimits(1, attempts=1)
    jobs = JobService(records.jobs, artefacts, limits, Signals(), predictions.discard)
    delete_case("a", predictions, jobs, records.jobs)


def test_a_case_that_waits_is_never_answered_once_it_was_deleted(
    records: RecordStore, tmp_path: Path
) -> None:
    delete(records, tmp_path)
    assert records.jobs.get("a").state == "cancelled"
    with pytest.raises(UnknownPredictionError):
        delete(records, tmp_path)


def test_an_answer_on_its_way_is_not_kept_once_it_was_deleted(records: RecordStore, tmp_path: Path) -> None:
    job = begun(records)
    for _ in range(2):
        delete(records, tmp_path)
    assert not records.job_turns.done(job, ANSWER, datetime.now(UTC))


def test_an_answer_that_comes_while_it_is_deleted_goes_too(records: RecordStore, tmp_path: Path) -> None:
    job = begun(records)
    delete(records, tmp_path, lambda: records.job_turns.done(job, ANSWER, datetime.now(UTC)))
    assert records.jobs.find("a") is None
    with pytest.raises(UnknownPredictionError):
        records.predictions.get("a")


def test_a_job_that_failed_left_nothing_to_delete(records: RecordStore, tmp_path: Path) -> None:
    records.job_turns.failed(begun(records), StoredProblem.of(NotAHeadError("")), datetime.now(UTC))
    with pytest.raises(UnknownPredictionError):
        delete(records, tmp_path)
