"""app.records.job_problem: what a job met is what is told of it, whichever release wrote it down."""

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.errors import EhrInvalidError
from app.records.job_problem import StoredProblem
from app.records.jobs import JobRecords
from app.records.tables import JobRow
from tests.records.test_jobs import job

KEPT = '{"code": "ehr-invalid", "detail": "x", "fields": {"features": [{"name": "age", "problem": "y"}]}}'
"""As every release since 0.2.0 writes it."""


def kept(engine: Engine, problem: str) -> StoredProblem | None:
    mine = JobRecords(engine).add(job())
    with engine.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'failed', problem = :it"), {"it": problem})
    return JobRecords(engine).get(mine.id).problem


def test_a_problem_is_kept_as_every_release_writes_it(engine: Engine) -> None:
    mine = job()
    error = EhrInvalidError("x", features=[{"name": "age", "problem": "y"}])
    with Session(engine) as session, session.begin():
        session.add(JobRow(**vars(mine) | {"problem": StoredProblem.of(error)}))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT problem FROM jobs")).scalar() == KEPT
    assert JobRecords(engine).get(mine.id).problem == StoredProblem.of(error)


def test_what_a_later_release_adds_to_a_problem_is_passed_over(engine: Engine) -> None:
    assert kept(engine, KEPT[:-1] + ', "cause": "z"}') == StoredProblem(
        "ehr-invalid", "x", {"features": [{"name": "age", "problem": "y"}]}
    )
