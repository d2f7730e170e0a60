"""A case is accepted with its files or not at all."""

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.errors import (
    IdempotencyKeyReusedError,
    OverloadedError,
    StorageUnavailableError,
    UnknownBatchError,
    UnknownJobError,
)
from app.records.jobs import JobSelection
from tests.jobs.conftest import MOST, Parts, has_upload


def test_an_accepted_job_has_its_files(parts: Parts) -> None:
    job = parts.accept()
    assert (parts.state(job), has_upload(parts, job)) == ("queued", True)


def test_a_request_that_comes_again_is_the_same_job(parts: Parts) -> None:
    job = parts.accept("key", "one")
    assert parts.accept("key", "one") == job
    with pytest.raises(IdempotencyKeyReusedError):
        parts.accept("key", "another")
    assert parts.records.jobs.page(JobSelection(), 9, 0) == ([job], 1)


def test_one_too_many_is_refused_until_another_ends(parts: Parts) -> None:
    first, *_ = [parts.accept() for _ in range(MOST)]
    with pytest.raises(OverloadedError):
        parts.accept()
    parts.service.cancel(first.id)
    parts.accept()


def test_what_is_not_accepted_leaves_no_files(parts: Parts) -> None:
    with pytest.raises(UnknownBatchError):
        parts.accept(batch="absent")
    assert parts.files() == set()


def test_what_may_have_been_accepted_keeps_its_files(parts: Parts) -> None:
    def lose_the_answer(_session: Session) -> None:
        raise StorageUnavailableError("The database went away after it had committed.")

    event.listen(Session, "after_commit", lose_the_answer)
    try:
        with pytest.raises(StorageUnavailableError):
            parts.accept()
    finally:
        event.remove(Session, "after_commit", lose_the_answer)
    (job,), _ = parts.records.jobs.page(JobSelection(), 9, 0)
    assert has_upload(parts, job)


def test_what_is_cancelled_leaves_no_files(parts: Parts) -> None:
    job = parts.accept()
    assert parts.service.cancel(job.id).state == "cancelled"
    assert parts.files() == set()
    with pytest.raises(UnknownJobError):
        parts.service.cancel("absent")
