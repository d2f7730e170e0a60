"""What one process does between two statements of another is not lost, on PostgreSQL, where it can be done; SQLite has one writer at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.errors import PackageInUseError
from app.model_package.naming import Reference
from app.records.aliases import PlanRecords
from app.records.batches import Batch, BatchRecords
from app.records.database import open_database
from app.records.job_turns import JobTurns
from app.records.jobs import JobRecords
from app.serving.plan_edits import not_wanting
from tests.records.test_jobs import MODELS, NOW, PROBLEM, claimed, job


@pytest.fixture
def engines(postgres_url: str) -> Iterator[tuple[Engine, Engine]]:
    """Two processes' on one database."""
    one, two = open_database(postgres_url), open_database(postgres_url)
    yield one, two
    one.dispose()
    two.dispose()


@contextmanager
def once(engine: Engine, moment: str, beginning: str, act: Callable[[], object]) -> Iterator[None]:
    """Do something when a statement comes for the first time that begins with these words."""
    done: list[bool] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(beginning) and not done:
            done.append(True)
            act()

    event.listen(engine, moment, see)
    yield
    event.remove(engine, moment, see)
    assert done


@pytest.mark.parametrize("of_batch", [False, True])
def test_a_job_that_is_put_back_while_it_is_cancelled_is_cancelled(
    engines: tuple[Engine, Engine], of_batch: bool
) -> None:
    one, two = engines
    BatchRecords(one).add(Batch("b", "gos", 1, 2, None, NOW))
    jobs, turns = JobRecords(one), JobTurns(two)
    jobs.add(job(batch_id="b"))
    mine = claimed(turns)
    with once(
        one,
        "before_cursor_execute",
        "UPDATE jobs SET cancelling",
        lambda: turns.put_back(mine, NOW, free=True),
    ):
        if of_batch:
            assert jobs.cancel_all("b", NOW) == ([mine.id], [])
        else:
            assert jobs.cancel(mine.id, NOW).state == "cancelled"
    assert turns.claim("a", MODELS, 2, NOW) is None


def test_a_job_that_is_cancelled_while_the_dead_are_taken_over_does_not_wait_again(
    engines: tuple[Engine, Engine],
) -> None:
    one, two = engines
    jobs, turns = JobRecords(two), JobTurns(one)
    jobs.add(job())
    mine = claimed(turns)
    with once(
        one,
        "before_cursor_execute",
        "UPDATE jobs SET state=%(state)s::VARCHAR, due",
        lambda: jobs.cancel(mine.id, NOW),
    ):
        assert turns.take_over(NOW, "a", PROBLEM) == ([], [])
    assert turns.take_over(NOW, "a", PROBLEM) == ([], [jobs.get(mine.id)])
    assert jobs.get(mine.id).state == "cancelled"


def test_a_package_is_unloaded_before_a_job_for_it_is_accepted_or_not_at_all(
    engines: tuple[Engine, Engine],
) -> None:
    one, two = engines
    reference = Reference("gos", 1)
    unloaded: list[bool] = []

    def unload() -> None:
        try:
            PlanRecords(two).change(not_wanting(reference))
        except PackageInUseError:
            unloaded.append(False)
        else:
            unloaded.append(True)

    unloading = threading.Thread(target=unload)

    def unload_meanwhile() -> None:
        unloading.start()
        unloading.join(1)  # seconds; it may wait for this transaction

    with once(one, "before_cursor_execute", "INSERT INTO jobs", unload_meanwhile):
        JobRecords(one).add(job())
    unloading.join()
    assert unloaded == [False]


def test_an_old_batch_that_gets_a_job_while_old_ones_are_forgotten_keeps_it(
    engines: tuple[Engine, Engine],
) -> None:
    one, two = engines
    batches = BatchRecords(one)
    batches.add(Batch("b", "gos", 1, 2, None, NOW))
    forgotten: list[int] = []
    forget = threading.Thread(
        target=lambda: forgotten.append(BatchRecords(two).delete_empty(NOW + timedelta(days=31)))
    )

    def forget_meanwhile() -> None:
        forget.start()
        forget.join(1)  # seconds; it may wait for this transaction

    with once(one, "after_cursor_execute", "INSERT INTO jobs", forget_meanwhile):
        added = JobRecords(one).add(job(batch_id="b"))
    forget.join()
    assert forgotten == [0]
    assert JobRecords(two).get(added.id) == added
