"""What becomes of an attempt: the answer, a problem, another attempt; and never a file that belongs to nothing."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.api.problems import kind_of
from app.errors import NotReadyError, OverloadedError, StorageUnavailableError
from app.inference.graph_session import GraphSession, RawOutputs
from app.inference.predictor import Predictor
from app.inference.ticket import Ticket, holding
from app.jobs.request import read_request, upload_name
from app.jobs.worker import BACK_OFF_S, FAULT, INTERRUPTED, LONGEST_BACK_OFF_S, JobWorker
from app.model_package.store import ModelStore
from app.records.artefacts import FolderArtefacts
from app.records.job_problem import StoredProblem
from app.records.job_turns import LEASE
from app.records.jobs import Job
from app.records.predictions import KeptPrediction
from app.records.remote_artefacts import open_artefacts
from app.serving.catalogue import Catalogue
from tests.jobs.conftest import MODEL, Parts, has_upload


def code_of(parts: Parts, job: Job) -> str:
    return problem_of(parts, job).code


def problem_of(parts: Parts, job: Job) -> StoredProblem:
    problem = parts.records.jobs.get(job.id).problem
    assert problem is not None
    return problem


def test_a_job_is_answered_under_its_own_id_and_its_upload_goes(parts: Parts) -> None:
    job = parts.accept()
    parts.worker.work(parts.claim(), 0.0)
    assert parts.state(job) == "done"
    assert parts.records.predictions.get(job.id).label
    assert parts.files() == {"heatmaps", "cases"}


def test_a_clock_that_was_set_back_makes_no_job_end_before_it_came(parts: Parts) -> None:
    parts.accept()
    ahead = datetime.now(UTC) + timedelta(hours=1)
    parts.worker.work(replace(parts.claim(), created=ahead), 0.0)
    (told,) = parts.worker.metrics.job_seconds.collect()
    assert {sample.value for sample in told.samples if sample.name.endswith("_sum")} == {0.0}


def test_an_image_that_cannot_be_read_fails_at_once_and_leaves_nothing(parts: Parts) -> None:
    job = parts.accept()
    (parts.folder / upload_name(job.id) / "000000").write_bytes(b"words")
    parts.worker.work(parts.claim(), 0.0)
    assert (parts.state(job), code_of(parts, job)) == ("failed", "unsupported-file")
    assert parts.files() == set()


def test_a_job_without_its_images_is_tried_again_later_and_says_so_in_the_end(parts: Parts) -> None:
    job = parts.accept()
    parts.artefacts.delete_all(upload_name(job.id))
    before, pause = datetime.now(UTC), timedelta(seconds=BACK_OFF_S)
    parts.worker.work(parts.claim(), 0.0)
    again = parts.records.jobs.get(job.id)
    assert again.state == "queued"
    assert before + pause <= again.due <= datetime.now(UTC) + pause
    last = parts.records.job_turns.claim("me", [("gos", 1)], 2, again.due)
    assert last is not None
    parts.worker.work(last, 0.0)
    assert (parts.state(job), code_of(parts, job)) == ("failed", "internal")
    assert "NEUROFUSE_ARTEFACTS" in problem_of(parts, job).detail


def test_a_fault_after_a_long_wait_for_storage_is_tried_again_later_too(parts: Parts) -> None:
    job = parts.accept()
    parts.artefacts.delete_all(upload_name(job.id))
    with closing(sqlite3.connect(parts.folder / "records.sqlite3")) as database, database:
        database.execute("UPDATE jobs SET attempt = 2000")  # some three hours, at one in five seconds
    parts.worker.work(parts.claim(), 0.0)
    again = parts.records.jobs.get(job.id)
    assert again.state == "queued"
    assert timedelta(0) < again.due - datetime.now(UTC) <= timedelta(seconds=LONGEST_BACK_OFF_S)


def test_a_job_whose_share_was_unmounted_waits_for_it(parts: Parts) -> None:
    job = parts.accept()
    share, away = parts.folder / "share", parts.folder / "away"
    worker = replace(parts.worker, artefacts=FolderArtefacts(share))
    shutil.copytree(parts.folder / upload_name(job.id), share / upload_name(job.id))
    share.rename(away)
    share.mkdir()  # the mount point
    for _ in range(3):
        waiting = parts.records.jobs.get(job.id)
        held = parts.records.job_turns.claim("me", [("gos", 1)], 2, waiting.due)
        assert held is not None
        worker.work(held, 0.0)
        assert parts.records.jobs.get(job.id).chances == waiting.chances
    share.rmdir()
    away.rename(share)
    last = parts.records.job_turns.claim("me", [("gos", 1)], 2, parts.records.jobs.get(job.id).due)
    assert last is not None
    worker.work(last, 0.0)
    assert parts.state(job) == "done"


def test_jobs_that_ended_unseen_are_counted_also_while_their_files_cannot_be_reached(parts: Parts) -> None:
    """The alert on jobs that fail looks at this number, most of all where a service dies because its store is away."""
    jobs = [parts.accept(), parts.accept()]
    share = parts.folder / "share"
    worker = replace(parts.worker, artefacts=FolderArtefacts(share))
    shutil.copytree(parts.folder / upload_name(jobs[0].id), share / upload_name(jobs[0].id))
    share.rename(parts.folder / "away")
    share.mkdir()  # the mount point
    with pytest.raises(StorageUnavailableError):
        worker.ended_unseen([replace(job, state="failed", problem=INTERRUPTED) for job in jobs])
    (told,) = worker.metrics.jobs_finished.collect()
    assert sum(sample.value for sample in told.samples if sample.name.endswith("_total")) == len(jobs)


class FailingDevice:
    """A graph whose runs fail.

    Args:
        graph: The graph.
        fail: Raises what a run does.
    """

    def __init__(self, graph: GraphSession, fail: Callable[[], RawOutputs]) -> None:
        self.provider = graph.provider
        self.close = graph.close
        self._fail = fail

    def run(self, *_tensors: object) -> RawOutputs:
        return self._fail()


def worker_on_device(parts: Parts, predictor: Predictor, fail: Callable[[], RawOutputs]) -> JobWorker:
    """That of a runner whose device fails."""
    failing = Predictor(predictor.package, FailingDevice(predictor.session, fail))
    catalogue = Catalogue(
        ModelStore(predictor.package.path.parents[1]), lambda _: failing, parts.worker.metrics
    )
    catalogue.prepare(MODEL)
    return replace(parts.worker, catalogue=catalogue)


def test_a_device_that_stays_full_is_in_the_end_told_as_what_does_not_pass(
    parts: Parts, gos_predictor: Predictor
) -> None:
    def fill() -> RawOutputs:
        raise OverloadedError("the device has no memory left for this batch", retry_after_s=5)

    worker = worker_on_device(parts, gos_predictor, fill)
    job = parts.accept()
    worker.work(parts.claim(), 0.0)
    again = parts.records.jobs.get(job.id)
    assert again.state == "queued"
    last = parts.records.job_turns.claim("me", [("gos", 1)], 2, again.due)
    assert last is not None
    worker.work(last, 0.0)
    problem = problem_of(parts, job)
    # 503, or a member that says when to come back, would have its sender ask for it for ever.
    assert (parts.state(job), kind_of(problem).status, problem.fields) == ("failed", 500, {})
    assert "no memory left" in problem.detail


def test_a_job_whose_case_loses_the_gpu_each_time_ends_processes_no_more_often_than_it_may_be_begun(
    parts: Parts, gos_predictor: Predictor, lose_device: Callable[[], None]
) -> None:
    def lose() -> RawOutputs:
        lose_device()
        raise NotReadyError("the GPU is lost to this process; start the service anew")

    worker = worker_on_device(parts, gos_predictor, lose)
    job = parts.accept()
    worker.work(parts.claim(), 0.0)
    again = parts.records.jobs.get(job.id)
    assert (again.state, again.chances) == ("queued", 1)
    last = parts.records.job_turns.claim("me", [("gos", 1)], 2, again.due)
    assert last is not None
    worker.work(last, 0.0)
    assert (parts.state(job), code_of(parts, job)) == ("failed", "job-interrupted")
    assert parts.files() == set()


def test_storage_that_does_not_answer_costs_a_job_none_of_its_chances(
    parts: Parts, unreachable_store: str
) -> None:
    job = parts.accept()
    elsewhere = replace(parts.worker, artefacts=open_artefacts(unreachable_store, parts.folder, parts.folder))
    for _ in range(3):
        claimed = parts.records.job_turns.claim("me", [("gos", 1)], 2, parts.records.jobs.get(job.id).due)
        assert claimed is not None
        elsewhere.work(claimed, 0.0)
        assert parts.state(job) == "queued"
    last = parts.records.job_turns.claim("me", [("gos", 1)], 2, parts.records.jobs.get(job.id).due)
    assert last is not None
    parts.worker.work(last, 0.0)
    assert parts.state(job) == "done"


def test_what_an_attempt_left_that_was_cut_short_does_not_hinder_the_next(parts: Parts) -> None:
    job = parts.accept()
    cut_short = parts.claim()

    def end_of_the_process(_: KeptPrediction) -> None:
        raise KeyboardInterrupt

    entry = parts.worker.catalogue.entry("gos@1")
    assert entry.predictor is not None
    with parts.artefacts.local(upload_name(job.id)) as folder, pytest.raises(KeyboardInterrupt):
        parts.worker.predictions.predict(
            read_request(cut_short, folder), entry.predictor, 0.0, end_of_the_process
        )
    assert parts.files() == {"jobs", "heatmaps", "cases"}
    parts.records.job_turns.take_over(datetime.now(UTC), "me", INTERRUPTED)
    parts.worker.work(parts.claim(), 0.0)
    assert parts.state(job) == "done"


def test_what_is_cancelled_while_it_is_worked_on_leaves_nothing(parts: Parts) -> None:
    job = parts.accept()
    mine = parts.claim()
    parts.service.cancel(job.id)
    parts.worker.work(mine, 0.0)
    assert parts.state(job) == "cancelled"
    assert parts.files() == set()


def test_what_is_let_go_of_waits_again_and_keeps_its_chances(parts: Parts) -> None:
    job = parts.accept()
    mine, ticket = parts.claim(), Ticket()
    ticket.gone.set()
    with holding(ticket):
        parts.worker.work(mine, 0.0)
    now = parts.records.jobs.get(job.id)
    assert (now.state, now.chances, has_upload(parts, job)) == ("queued", 2, True)


@pytest.mark.parametrize("end", ["failed", "cancelled", "done"])
def test_a_runner_that_comes_too_late_leaves_what_the_other_one_wrote(parts: Parts, end: str) -> None:
    job = parts.accept()
    late, turns, later = parts.claim(), parts.records.job_turns, datetime.now(UTC) + 2 * LEASE
    turns.take_over(later, None, INTERRUPTED)
    other = turns.claim("other", [("gos", 1)], 2, later)
    assert other is not None
    if end == "failed":
        turns.failed(other, FAULT, later)
    elif end == "cancelled":
        parts.service.cancel(job.id)
        turns.dropped(other, later)
    else:
        upload = parts.folder / upload_name(job.id)
        copy = shutil.copytree(upload, parts.folder / "copy")
        parts.worker.work(other, 0.0)
        copy.rename(upload)  # as if the late one had it open all the time
    parts.worker.work(late, 0.0)
    assert parts.state(job) == end
    assert parts.files() - {"jobs"} == ({"heatmaps", "cases"} if end == "done" else set())
