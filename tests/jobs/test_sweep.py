"""What is over goes, what is needed stays, and what a crash left behind is found."""

import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest

from app.errors import StorageUnavailableError
from app.identifiers import uuid7
from app.jobs.request import upload_name
from app.jobs.sweep import JobSweep
from app.records.leftovers import Leftovers
from tests.jobs.conftest import Parts, counted, has_upload

MONTH = timedelta(days=30)


def put(parts: Parts, identifier: str) -> Path:
    folder = parts.folder / "left" / identifier
    folder.mkdir(parents=True)
    (folder / "000000").touch()
    parts.artefacts.put(upload_name(identifier), folder)
    return parts.folder / upload_name(identifier)


def sweep_of(parts: Parts, max_age: timedelta) -> JobSweep:
    return JobSweep(parts.records, parts.worker, max_age)


def test_files_that_were_never_accepted_go_once_nobody_is_still_about_to_accept_them(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # Its id is from long ago: it waited, or the clock was set. That is no reason to remove what is about to be accepted.
        patch.setattr(time, "time_ns", lambda: 0)
        left = put(parts, str(uuid7()))
    waiting = parts.accept()
    now_s = [0.0]
    sweep = JobSweep(parts.records, parts.worker, MONTH, Leftovers(60.0, lambda: now_s[0]))
    for now_s[0], removed in ((0.0, 0), (59.0, 0), (60.0, 1)):
        assert sweep.sweep() == removed
        assert (left.exists(), has_upload(parts, waiting)) == (not removed, True)


def test_files_of_a_job_that_ended_go_where_its_process_did_not_come_to_it(parts: Parts) -> None:
    job = parts.accept()
    parts.service.cancel(job.id)
    left = put(parts, job.id)
    assert sweep_of(parts, MONTH).sweep() == 1
    assert not left.exists()


def test_after_its_time_a_job_that_ended_is_forgotten_and_one_that_waits_is_given_up(parts: Parts) -> None:
    done, waiting = parts.accept(), parts.accept()
    parts.worker.work(parts.claim(), 0.0)
    at_once = sweep_of(parts, timedelta(0))
    assert at_once.sweep() >= 2
    assert parts.records.jobs.find(done.id) is None
    at_once.sweep()
    assert parts.records.jobs.find(waiting.id) is None
    assert parts.files() == {"heatmaps", "cases"}
    assert parts.records.predictions.get(done.id).id == done.id
    assert counted(parts.worker.metrics) == {("done", ""): 1, ("failed", "internal"): 1}


def test_how_full_the_disk_of_artefacts_is_is_told_at_each_sweep(parts: Parts) -> None:
    parts.records.close()
    database = parts.folder / "records.sqlite3"
    database.unlink()
    database.mkdir()
    with pytest.raises(StorageUnavailableError):  # which may be for want of room
        sweep_of(parts, MONTH).sweep()
    told = parts.worker.metrics.registry.get_sample_value
    free, whole = (told("neurofuse_artefacts_disk_bytes", {"part": part}) for part in ("free", "whole"))
    assert free is not None
    assert whole is not None
    assert 0 < free <= whole == shutil.disk_usage(parts.folder).total
