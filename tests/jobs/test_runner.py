"""A runner works until it is told to stop, and leaves no job behind that nobody would take up."""

import platform
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from app.inference.ticket import Urgency
from app.jobs import runner
from app.jobs.runner import IDENTITY_NAME, JobRunner, runner_identity
from app.jobs.worker import INTERRUPTED
from app.metrics import Metrics
from app.predictions.admission import Admission
from app.records.job_turns import LEASE, Model
from app.records.tables import UUID_LENGTH
from tests.jobs.conftest import Parts, counted, has_upload
from tests.support.waiting import LONGEST_S, wait_until


@contextmanager
def running(parts: Parts, identity: str = "me") -> Iterator[Callable[[], None]]:
    """A runner in an event loop of its own; gives what tells it to stop, which it is at the end at the latest."""
    told = threading.Event()

    async def work() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(JobRunner(parts.worker, Admission(2, 8, 0, Metrics().pending), 2, identity).run)
            await anyio.to_thread.run_sync(told.wait)
            group.cancel_scope.cancel()

    thread = threading.Thread(target=anyio.run, args=(work,))
    thread.start()
    try:
        yield told.set
    finally:
        told.set()
        parts.gate.set()
        thread.join(LONGEST_S)
        assert not thread.is_alive()


def test_jobs_are_answered_those_that_came_before_the_runner_too(parts: Parts) -> None:
    before = parts.accept()
    with running(parts):
        after = parts.accept()
        wait_until(lambda: parts.state(before) == parts.state(after) == "done")


def test_a_runner_takes_up_at_once_what_it_held_when_it_died(parts: Parts) -> None:
    job = parts.accept()
    parts.claim()
    with running(parts, "me"):
        wait_until(lambda: parts.state(job) == "done")
    assert parts.records.jobs.get(job.id).attempt == 2


def test_a_job_in_which_the_process_died_once_too_often_is_counted_as_one_that_failed(parts: Parts) -> None:
    job = parts.accept()
    parts.claim()
    parts.records.job_turns.take_over(datetime.now(UTC), "me", INTERRUPTED)
    parts.claim()
    with running(parts, "me"):
        wait_until(lambda: parts.state(job) == "failed")
    assert counted(parts.worker.metrics) == {("failed", "job-interrupted"): 1}


def test_a_job_is_not_begun_by_a_runner_whose_gpu_is_lost(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, lose_device: Callable[[], None]
) -> None:
    looks = list[None]()
    waiting = parts.records.job_turns.waiting

    def looked(models: Iterable[Model], now: datetime) -> set[int]:
        looks.append(None)
        return waiting(models, now)

    monkeypatch.setattr(parts.records.job_turns, "waiting", looked)
    monkeypatch.setattr(runner, "LOOK_EVERY_S", 0.01)
    lose_device()
    job = parts.accept()
    with running(parts):
        wait_until(lambda: len(looks) > 1)
    now = parts.records.jobs.get(job.id)
    assert (now.state, now.attempt, now.chances) == ("queued", 0, job.chances)


def test_a_running_job_ends_before_the_runner_does(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GRACE_S", LONGEST_S)
    job = parts.accept()
    parts.gate.clear()
    with running(parts) as stop:
        wait_until(lambda: parts.state(job) == "running")
        stop()
        parts.gate.set()
    assert parts.state(job) == "done"


def test_a_job_that_takes_longer_than_the_grace_waits_again_at_once(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "GRACE_S", 0.1)
    job = parts.accept()
    parts.gate.clear()
    with running(parts) as stop:
        wait_until(lambda: parts.state(job) == "running")
        stop()
        # The thread is still reading; other machines need not wait for it.
        wait_until(lambda: parts.state(job) == "queued")
    now = parts.records.jobs.get(job.id)
    assert (now.state, now.chances, has_upload(parts, job)) == ("queued", job.chances, True)
    parts.service.cancel(job.id)
    assert parts.files() == set()


def test_a_job_that_was_cancelled_does_not_wait_again_when_the_runner_is_told_to_stop(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "GRACE_S", 0.0)
    monkeypatch.setattr(runner, "HOLD_EVERY_S", 3600.0)  # it does not notice by itself
    job = parts.accept()
    parts.gate.clear()
    with running(parts) as stop:
        wait_until(lambda: parts.state(job) == "running")
        parts.records.jobs.cancel(job.id, datetime.now(UTC))
        stop()
        wait_until(lambda: parts.state(job) == "cancelled")
    assert parts.files() == set()


def test_a_lease_is_renewed_while_the_job_is_worked_on(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "HOLD_EVERY_S", 0.05)
    job = parts.accept()
    parts.gate.clear()
    with running(parts):
        wait_until(lambda: parts.state(job) == "running")
        first = parts.records.jobs.get(job.id).lease_until
        wait_until(lambda: parts.records.jobs.get(job.id).lease_until != first)
        # Another runner takes it over, as it would from a dead one; ours is told, and writes nothing.
        later = datetime.now(UTC) + 2 * LEASE
        parts.records.job_turns.take_over(later, None, INTERRUPTED)
        other = parts.records.job_turns.claim("other", [("gos", 1)], Urgency.BATCH, later)
        assert other is not None
        wait_until(lambda: all(each.ticket.gone.is_set() for each in parts.worker.signals.held))
    assert parts.records.jobs.get(job.id).owner == "other"


def test_an_identity_outlives_a_restart(tmp_path: Path) -> None:
    assert runner_identity(tmp_path) == runner_identity(tmp_path)


def test_an_identity_that_was_not_written_to_the_end_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / IDENTITY_NAME).touch()
    assert runner_identity(tmp_path)
    assert runner_identity(tmp_path) == runner_identity(tmp_path)


def test_a_copy_of_a_data_folder_has_another_identity_here_and_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the same one, each start of the copy would take the jobs away that are worked on in the first."""
    first, copy = tmp_path / "first", tmp_path / "copy"
    first.mkdir()
    identity = runner_identity(first)
    shutil.copytree(first, copy)
    assert runner_identity(copy) != identity
    assert len(identity) <= UUID_LENGTH
    monkeypatch.setattr(platform, "node", lambda: "another")
    assert runner_identity(first) != identity
