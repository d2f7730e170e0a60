"""The plan is kept as it was written, and changes of two processes come one after the other."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from app.model_package.naming import Reference
from app.records.aliases import Alias, Canary, Plan, PlanRecords
from app.records.jobs import Job, JobRecords

PRODUCTION = Alias("gos", "production", 3, Canary(4, 0.125), shadow=5, previous=(1, 2))
TRIAL = Alias("gos", "trial", 1)


def with_both(plan: Plan) -> Plan:
    aliases = {(each.name, each.alias): each for each in (PRODUCTION, TRIAL)}
    return replace(plan, aliases=aliases, wishes={Reference("gos", 3): True, Reference("ad", 1): False})


def test_a_new_database_has_an_empty_plan(engine: Engine) -> None:
    assert PlanRecords(engine).plan() == Plan()


def test_a_plan_is_read_as_it_was_written(engine: Engine) -> None:
    records = PlanRecords(engine)
    changed = records.change(with_both)
    assert changed == records.plan() == with_both(Plan(revision=1))
    assert records.revision() == 1
    assert records.change(lambda plan: replace(plan, aliases={}, wishes={})) == Plan(revision=2)
    assert records.plan() == Plan(revision=2)


def test_a_change_that_is_refused_changes_nothing(engine: Engine) -> None:
    records = PlanRecords(engine)
    records.change(with_both)

    def refuse(_plan: Plan) -> Plan:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        records.change(refuse)
    assert records.plan() == with_both(Plan(revision=1))


def test_changes_at_the_same_time_come_one_after_the_other(engine: Engine) -> None:
    records, rounds = PlanRecords(engine), 10

    def moved(plan: Plan) -> Plan:
        now = plan.aliases.get(("gos", "production"), Alias("gos", "production", 1))
        following = replace(now, version=now.version + 1)
        return replace(plan, aliases={("gos", "production"): following})

    def move() -> None:
        for _ in range(rounds):
            records.change(moved)

    threads = [threading.Thread(target=move) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plan = records.plan()
    assert plan.revision == 3 * rounds
    assert plan.aliases["gos", "production"].version == 1 + 3 * rounds


def test_packages_that_open_jobs_wait_for_are_told(engine: Engine) -> None:
    records, jobs, now = PlanRecords(engine), JobRecords(engine), datetime(2026, 11, 23, 10, tzinfo=UTC)
    for number, version in enumerate((1, 1, 2)):
        jobs.add(Job(f"{number:036d}", "queued", 2, "gos", version, "{}", now, now, chances=3))
    jobs.cancel(f"{2:036d}", now)
    assert records.plan().awaited == {Reference("gos", 1)}
    assert records.change(with_both).awaited == {Reference("gos", 1)}
