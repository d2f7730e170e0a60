"""Whatever the order in which runners work, stall, die and start again: no job has two answers, and none loses the one it has."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.records.database import open_database
from app.records.job_turns import LEASE, JobTurns
from app.records.jobs import FINISHED, Job, JobRecords
from app.records.tables import PredictionRow
from tests.records.conftest import KINDS, Place
from tests.records.test_jobs import NOW, PROBLEM, answer, job

RUNNERS = st.sampled_from(("a", "b", "c"))
ATTEMPTS = st.integers(0, 9)
NUMBERS = count(1)


class Runners(RuleBasedStateMachine):
    """One job and those who work on it; every attempt ever begun may still write, however late."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.jobs, self.turns = JobRecords(self.engine), JobTurns(self.engine)
        number = next(NUMBERS)
        self.model = (f"gos-{number}", 1)
        self.job = self.jobs.add(job(number, model_name=self.model[0], chances=20))
        self.now = NOW
        self.attempts: list[Job] = []
        self.ended: Job | None = None

    def _write(self, attempt: int, write: Callable[[Job], bool]) -> None:
        mine = self.attempts[attempt % len(self.attempts)]
        before = self.jobs.get(self.job.id)
        wrote = write(mine)
        assert not wrote or (before.state, before.attempt) == ("running", mine.attempt)

    @rule(owner=RUNNERS)
    def claim(self, owner: str) -> None:
        found = self.turns.claim(owner, [self.model], 2, self.now)
        self.attempts += [found] if found else []

    @precondition(lambda self: self.attempts)
    @rule(attempt=ATTEMPTS)
    def answer(self, attempt: int) -> None:
        self._write(attempt, lambda mine: self.turns.done(mine, answer(mine), self.now))

    @precondition(lambda self: self.attempts)
    @rule(attempt=ATTEMPTS)
    def fail(self, attempt: int) -> None:
        self._write(attempt, lambda mine: self.turns.failed(mine, PROBLEM, self.now))

    @precondition(lambda self: self.attempts)
    @rule(attempt=ATTEMPTS, free=st.booleans())
    def put_back(self, attempt: int, free: bool) -> None:
        self._write(attempt, lambda mine: self.turns.put_back(mine, self.now, free=free))

    @precondition(lambda self: self.attempts)
    @rule(attempt=ATTEMPTS)
    def drop(self, attempt: int) -> None:
        self._write(attempt, lambda mine: self.turns.dropped(mine, self.now))

    @rule()
    def stall(self) -> None:
        self.now += LEASE + timedelta(seconds=1)
        self.turns.take_over(self.now, None, PROBLEM)

    @rule(owner=RUNNERS)
    def start_again(self, owner: str) -> None:
        self.turns.take_over(self.now, owner, PROBLEM)

    @precondition(lambda self: self.ended is None)
    @rule()
    def cancel(self) -> None:
        self.jobs.cancel(self.job.id, self.now)

    @invariant()
    def an_end_is_final(self) -> None:
        found = self.jobs.get(self.job.id)
        assert self.ended in (None, found)
        self.ended = found if found.state in FINISHED else None

    @invariant()
    def there_is_an_answer_where_the_job_is_done(self) -> None:
        query = select(func.count(PredictionRow.id)).where(PredictionRow.id == self.job.id)
        with Session(self.engine) as session:
            assert session.scalars(query).one() == (self.jobs.get(self.job.id).state == "done")


@pytest.mark.parametrize("kind", KINDS)
def test_no_order_of_events_gives_two_answers_or_takes_one_away(
    kind: str, new_place: Callable[[str], Place]
) -> None:
    opened = open_database(new_place(kind))

    class Here(Runners):
        engine = opened

    chosen = settings(max_examples=6, stateful_step_count=20, database=None, deadline=None)
    run_state_machine_as_test(Here, settings=chosen)
    opened.dispose()
