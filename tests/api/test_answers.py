"""What a client gets for a case that is accepted as a job."""

from datetime import UTC, datetime, timedelta

import pytest

from app.api.answers import LONGEST_PAUSE_S, pause_s
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
