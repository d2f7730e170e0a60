"""The query of the worklist: closed sets. What is deleted does not come back."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from pydantic import ValidationError

from app.api.worklist import Sort, WorklistQuery, delete_case
from app.errors import NotAHeadError, UnknownPredictionError
from app.imaging.limits import DEFAULT_LIMITS
from app.inference.ticket import Urgency
from app.jobs.service import JobLimits, JobService
from app.jobs.signals import Signals
from app.jobs.turn import problem_of
from app.metrics import Metrics
from app.predictions.bounded_folders import KeepingLimits
from app.predictions.case_store import CaseStore
from app.predictions.heatmaps import Heatmaps
from app.predictions.service import PredictionService
from app.records.artefacts import FolderArtefacts
from app.records.jobs import Job
from app.records.predictions import KeptPrediction
from app.records.store import RecordStore
from app.records.worklist import Page, Selection, SortKey

NOW: Final = datetime.now(UTC)
ANSWER: Final = KeptPrediction(
    "a", NOW, "gos", 1, "0" * 64, "{}", "gos", "gos_4", 0.7, abstained=False, out_of_distribution=False
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    """A database with the job `a`, which waits."""
    with closing(RecordStore(tmp_path / "records.sqlite3")) as opened:
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
    predictions = Predictions(records.predictions, Heatmaps(artefacts), cases, DEFAULT_LIMITS, Metrics())
    limits = JobLimits(1, attempts=1)
    delete_case("a", predictions, JobService(records.jobs, artefacts, limits, Signals(), predictions.discard))


def test_every_key_of_the_record_store_sorts_both_ways_and_nothing_else_does() -> None:
    assert set(get_args(Sort)) == {sign + key for key in get_args(SortKey) for sign in ("", "-")}


@pytest.mark.parametrize("sort", get_args(Sort))
def test_a_minus_sorts_from_the_last_to_the_first(sort: str) -> None:
    page = WorklistQuery.model_validate({"sort": sort, "limit": 7, "offset": 9}).page()
    assert page == Page(7, 9, sort.strip("-"), descending=sort[0] == "-")  # type: ignore[arg-type]


def test_without_parameters_the_latest_answers_come_first() -> None:
    query = WorklistQuery()
    assert (query.selection(None), query.page()) == (Selection(), Page(25, 0, "created", descending=True))


@pytest.mark.parametrize(
    ("model", "name", "version"), [("gos", "gos", None), ("gos@2", "gos", 2), ("a-b@10", "a-b", 10)]
)
def test_a_model_is_a_name_or_one_version(model: str, name: str, version: int | None) -> None:
    selection = WorklistQuery(model=model).selection(None)
    assert (selection.model_name, selection.model_version) == (name, version)


def test_moments_of_any_zone_are_compared_in_utc() -> None:
    query = WorklistQuery.model_validate({"since": "2026-11-23T12:00:00+02:00"})
    assert query.selection(None).since == datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 0}, {"limit": 201}, {"offset": -1}, {"offset": 2**63}, {"sort": "document"}, {"sort": "--created"},
        {"task": "moon"}, {"feedback": "maybe"}, {"model": "gos@0"}, {"model": "gos@"}, {"model": "../gos"},
        {"model": "gos@1234567890"}, {"q": "a\0b"}, {"q": "x" * 65}, {"since": "2026-11-23T10:00:00"},
        {"since": "20261123"}, {"since": "1700000000"}, {"until": "-1"}, {"until": "2026-11-23"},
        {"since": "0001-01-01T00:00:00+14:00"}, {"until": "9999-12-31T23:59:59-14:00"}, {"page": "2"},
    ],
)  # fmt: skip
def test_what_is_not_of_the_contract_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WorklistQuery.model_validate(given)


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
    records.job_turns.failed(begun(records), problem_of(NotAHeadError("")), datetime.now(UTC))
    with pytest.raises(UnknownPredictionError):
        delete(records, tmp_path)
