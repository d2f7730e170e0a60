"""What a client gets for a case that is accepted as a job."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest

from app.api.answers import LONGEST_PAUSE_S, pause_s
from app.api.job_schemas import job_status, stored_problem
from app.api.problems import INTERNAL, PROBLEM_TYPES
from app.inference.ticket import Urgency
from app.records.jobs import FINISHED, OPEN, Job, JobState

AN_HOUR = timedelta(hours=1)


def of_an_hour_ago(state: JobState) -> Job:
    then = datetime.now(UTC) - AN_HOUR
    return Job("a", state, Urgency.BATCH, "gos", 1, None, then, then, 3)


@pytest.mark.parametrize("state", FINISHED)
def test_whoever_sends_a_finished_case_again_may_fetch_its_end_at_once(state: JobState) -> None:
    assert pause_s(of_an_hour_ago(state)) == 1


@pytest.mark.parametrize("state", OPEN)
def test_whoever_waits_for_a_job_that_waits_long_asks_seldom(state: JobState) -> None:
    assert pause_s(of_an_hour_ago(state)) == LONGEST_PAUSE_S


@pytest.mark.parametrize("code", PROBLEM_TYPES)
def test_the_end_of_a_job_never_reads_as_what_passes(code: str) -> None:
    problem = json.dumps({"code": code, "detail": "why", "fields": {}})
    failed = replace(of_an_hour_ago("failed"), problem=problem)
    kind, detail, _ = stored_problem(failed)
    passes = PROBLEM_TYPES[code].status == HTTPStatus.SERVICE_UNAVAILABLE
    assert (kind, detail) == (INTERNAL if passes else PROBLEM_TYPES[code], "why")
    told = job_status(failed, None).problem
    assert told is not None
    assert told.status == kind.status
