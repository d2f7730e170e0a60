"""Jobs are accepted once, claimed by one runner at a time, and end once, with all that follows from it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from app.errors import (
    BatchClosedError,
    JobFinishedError,
    NotReadyError,
    UnknownJobError,
    UnknownPredictionError,
)
from app.model_package.naming import Reference
from app.records.aliases import PlanRecords
from app.records.audit import AuditTrail
from app.records.batches import Batch, BatchRecords
from app.records.job_problem import StoredProblem
from app.records.job_turns import LEASE, JobTurns
from app.records.jobs import Job, JobRecords, JobSelection
from app.records.predictions import KeptPrediction, PredictionRecords
from app.records.webhooks import WebhookRecords
from app.serving.plan_edits import not_wanting, wanting

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MODELS = [("gos", 1)]
PROBLEM = StoredProblem("internal", "x", {})


def job(number: int = 1, **others: object) -> Job:
    accepted = Job(
        id=f"{number:036d}", state="queued", priority=2, model_name="gos", model_version=1, request="{}",
        created=NOW, due=NOW, chances=3,
    )  # fmt: skip
    return replace(accepted, **others)  # type: ignore[arg-type]  # by name


def answer(of: Job) -> KeptPrediction:
    return KeptPrediction(
        of.id, NOW, "gos", 1, "0" * 64, f'{{"attempt": {of.attempt}}}', "gos", "gos_4", 0.7, abstained=False,
        out_of_distribution=False,
    )  # fmt: skip


def deeds(engine: Engine) -> list[tuple[str, str, str, str]]:
    """Action, object, model and outcome of every line of the trail, which is whole."""
    trail = AuditTrail(engine)
    assert trail.verify().broken_at is None
    lines = [line.deed for line in trail.lines()]
    assert {(each.subject, each.kind) for each in lines} <= {("service", "service")}
    return [(each.action, each.object_id, each.model, each.outcome) for each in lines]


@pytest.fixture
def jobs(engine: Engine) -> JobRecords:
    return JobRecords(engine)


@pytest.fixture
def turns(engine: Engine) -> JobTurns:
    return JobTurns(engine)


def claimed(turns: JobTurns, owner: str = "a", now: datetime = NOW, priority: int = 2) -> Job:
    found = turns.claim(owner, MODELS, priority, now)
    assert found is not None
    return found


def test_a_job_comes_back_as_it_was_accepted(jobs: JobRecords) -> None:
    jobs.add(job(reference="K-17", idempotency_key="k", fingerprint="0" * 64))
    assert jobs.get(job().id) == job(reference="K-17", idempotency_key="k", fingerprint="0" * 64)
    with pytest.raises(UnknownJobError):
        jobs.get("absent")


def test_of_many_requests_with_one_key_at_the_same_time_one_is_accepted(jobs: JobRecords) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(jobs.add, [job(number, idempotency_key="k") for number in range(24)]))
    assert len({each.id for each in found}) == 1
    assert jobs.page(JobSelection(), 100, 0)[1] == 1


def test_the_oldest_is_begun_first_and_only_what_is_due_and_can_be_answered(
    jobs: JobRecords, turns: JobTurns
) -> None:
    jobs.add(job(1, model_version=2))
    jobs.add(job(2, due=NOW + timedelta(seconds=1)))
    jobs.add(job(4))
    jobs.add(job(3))
    jobs.add(job(5, priority=0))
    assert turns.waiting(MODELS, NOW) == {0, 2}
    assert [claimed(turns).id for _ in range(2)] == [job(3).id, job(4).id]
    assert turns.claim("a", MODELS, 2, NOW) is None
    assert turns.claim("a", [], 0, NOW) is None
    assert claimed(turns, now=NOW + timedelta(seconds=1)).id == job(2).id


def test_many_runners_never_begin_one_job_twice(jobs: JobRecords, turns: JobTurns) -> None:
    for number in range(40):
        jobs.add(job(number))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda runner: turns.claim(str(runner), MODELS, 2, NOW), range(60)))
    ids = [each.id for each in found if each is not None]
    assert sorted(ids) == [job(number).id for number in range(40)]


def test_an_answer_and_the_end_of_its_job_are_kept_together(
    engine: Engine, jobs: JobRecords, turns: JobTurns
) -> None:
    jobs.add(job())
    mine = claimed(turns)
    assert turns.done(mine, answer(mine), NOW)
    ended = jobs.get(mine.id)
    assert (ended.state, ended.finished, ended.request, ended.owner) == ("done", NOW, None, None)
    assert PredictionRecords(engine).get(mine.id) == answer(mine)
    assert not turns.done(mine, answer(mine), NOW)


def test_a_runner_that_was_thought_dead_changes_nothing_any_more(
    engine: Engine, jobs: JobRecords, turns: JobTurns
) -> None:
    jobs.add(job())
    stalled = claimed(turns, "a")
    later = NOW + LEASE + timedelta(seconds=1)
    assert turns.take_over(later, None, PROBLEM) == ([stalled.id], [])
    other = claimed(turns, "b", later)
    assert turns.renew("a", [stalled.id], later) == []
    assert not turns.done(stalled, answer(stalled), later)
    assert not turns.failed(stalled, PROBLEM, later)
    assert not turns.put_back(stalled, later, free=True)
    assert turns.done(other, answer(other), later)
    assert PredictionRecords(engine).get(other.id) == answer(other)


def test_a_lease_that_is_renewed_is_not_taken_over(jobs: JobRecords, turns: JobTurns) -> None:
    jobs.add(job())
    mine = claimed(turns, "a")
    soon = NOW + LEASE - timedelta(seconds=1)
    assert [held.id for held in turns.renew("a", [mine.id], soon)] == [mine.id]
    assert turns.take_over(soon + LEASE, None, PROBLEM) == ([], [])


def test_a_runner_that_starts_again_takes_up_its_own_jobs_at_once(jobs: JobRecords, turns: JobTurns) -> None:
    for number in (1, 2):
        jobs.add(job(number))
    mine = claimed(turns, "a")
    claimed(turns, "b")
    assert turns.take_over(NOW, "a", PROBLEM) == ([mine.id], [])
    assert jobs.get(mine.id).state == "queued"


def test_a_job_that_ended_its_process_each_time_fails_in_the_end(jobs: JobRecords, turns: JobTurns) -> None:
    jobs.add(job(chances=6))
    now, pauses_s = NOW, []
    for _ in range(6):
        mine = claimed(turns, now=now)
        turns.take_over(now, "a", PROBLEM)
        pauses_s.append((jobs.get(mine.id).due - now).total_seconds())
        now = max(now, jobs.get(mine.id).due)
    ended = jobs.get(mine.id)
    assert (ended.state, ended.problem, ended.attempt) == ("failed", PROBLEM, 6)
    assert pauses_s[:-1] == [0, 10, 20, 30, 30]


def test_a_job_that_is_let_go_of_keeps_its_chances(jobs: JobRecords, turns: JobTurns) -> None:
    jobs.add(job())
    for attempt in (1, 2):
        mine = claimed(turns)
        assert (mine.attempt, mine.chances) == (attempt, 2)
        assert turns.put_back(mine, NOW, free=True)
    assert turns.put_back(claimed(turns), NOW, free=False)
    assert jobs.get(mine.id).chances == 2


def test_cancelling_drops_at_once_what_waits_and_marks_what_runs(jobs: JobRecords, turns: JobTurns) -> None:
    for number in (1, 2):
        jobs.add(job(number))
    running = claimed(turns)
    assert jobs.cancel(job(2).id, NOW).state == "cancelled"
    marked = jobs.cancel(running.id, NOW)
    assert (marked.state, marked.cancelling) == ("running", True)
    assert turns.renew("a", [running.id], NOW)[0].cancelling
    assert turns.dropped(running, NOW)
    assert jobs.cancel(running.id, NOW).state == "cancelled"


def test_a_job_for_a_package_that_was_unloaded_is_refused_and_one_that_was_loaded_again_is_not(
    engine: Engine, jobs: JobRecords
) -> None:
    plan, reference = PlanRecords(engine), Reference("gos", 1)
    plan.change(not_wanting(reference))
    with pytest.raises(NotReadyError, match="unloaded"):
        jobs.add(job())
    assert jobs.find(job().id) is None
    plan.change(wanting(reference))
    jobs.add(job())


def test_what_is_cancelled_is_not_put_back_but_dropped(jobs: JobRecords, turns: JobTurns) -> None:
    jobs.add(job())
    mine = claimed(turns)
    jobs.cancel(mine.id, NOW)
    assert not turns.put_back(mine, NOW, free=True)
    assert jobs.get(mine.id).state == "running"
    assert turns.dropped(mine, NOW)


def test_what_is_done_cannot_be_cancelled(jobs: JobRecords, turns: JobTurns) -> None:
    jobs.add(job())
    mine = claimed(turns)
    assert not turns.dropped(mine, NOW)
    turns.done(mine, answer(mine), NOW)
    with pytest.raises(JobFinishedError):
        jobs.cancel(mine.id, NOW)


def test_what_waits_too_long_is_given_up_and_what_is_over_is_forgotten(
    jobs: JobRecords, turns: JobTurns
) -> None:
    jobs.add(job())
    assert turns.give_up(NOW, PROBLEM, NOW) == []
    later = NOW + timedelta(days=30)
    assert turns.give_up(later, PROBLEM, later) == [jobs.get(job().id)]
    assert jobs.delete_finished(later) == 0
    assert jobs.delete_finished(later + timedelta(seconds=1)) == 1
    assert jobs.find(job().id) is None


def test_a_message_is_written_with_the_end_that_it_tells(
    engine: Engine, jobs: JobRecords, turns: JobTurns
) -> None:
    jobs.add(job(webhook_url="https://a.example"))
    webhooks = WebhookRecords(engine)
    assert webhooks.claim(NOW, NOW) is None
    mine = claimed(turns)
    turns.done(mine, answer(mine), NOW)
    found = webhooks.claim(NOW, NOW + timedelta(minutes=1))
    assert found is not None
    assert (found.id, found.event, found.url, found.attempt) == (
        mine.id,
        "prediction.done",
        "https://a.example",
        1,
    )
    assert webhooks.claim(NOW, NOW) is None
    webhooks.settle(found, "waiting", NOW + timedelta(seconds=5))
    again = webhooks.claim(NOW + timedelta(seconds=5), NOW)
    assert again == replace(found, attempt=2, due=NOW)
    webhooks.settle(found, "delivered", NOW)  # of an attempt that is over
    assert webhooks.of([mine.id])[mine.id].state == "waiting"


def batch(engine: Engine, size: int) -> BatchRecords:
    batches = BatchRecords(engine)
    batches.add(Batch("b", "gos", 1, 2, "https://a.example", NOW))
    for number in range(size):
        JobRecords(engine).add(job(number, batch_id="b"))
    return batches


def test_a_batch_is_finished_once_whoever_ends_its_last_jobs_at_the_same_time(
    engine: Engine, turns: JobTurns
) -> None:
    batches = batch(engine, 12)
    batches.close("b", NOW)
    with pytest.raises(BatchClosedError):
        JobRecords(engine).add(job(99, batch_id="b"))
    held = [claimed(turns) for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(lambda each: turns.done(each, answer(each), NOW), held))
    webhooks = WebhookRecords(engine)
    told = webhooks.find("b")
    assert told is not None
    assert told.event == "batch.finished"
    assert [each.id for part in batches.results("b") for each, _ in part] == [each.id for each in held]


def test_a_batch_is_finished_when_it_is_closed_after_its_last_job(engine: Engine, turns: JobTurns) -> None:
    batches = batch(engine, 1)
    mine = claimed(turns)
    turns.failed(mine, PROBLEM, NOW)
    webhooks = WebhookRecords(engine)
    assert webhooks.find("b") is None
    batches.close("b", NOW)
    batches.close("b", NOW)
    assert webhooks.find("b") is not None
    assert batches.get("b").closed == NOW


def test_a_batch_takes_jobs_from_many_at_once_while_others_end(engine: Engine, turns: JobTurns) -> None:
    jobs, batches = JobRecords(engine), batch(engine, 0)

    def add_and_end(number: int) -> bool:
        jobs.add(job(number, batch_id="b"))
        mine = turns.claim(str(number), MODELS, 2, NOW)
        return mine is not None and turns.done(mine, answer(mine), NOW)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add_and_end, range(40))) == 40
    batches.close("b", NOW)
    assert jobs.counts("b")["done"] == 40
    assert WebhookRecords(engine).find("b") is not None


def test_a_job_is_in_a_batch_before_it_is_closed_or_not_at_all(engine: Engine, jobs: JobRecords) -> None:
    batches = batch(engine, 0)

    def add(number: int) -> bool:
        if number == 20:
            batches.close("b", NOW)
        try:
            jobs.add(job(number, batch_id="b"))
        except BatchClosedError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        added = sum(pool.map(add, range(40)))
    assert 0 < added < 40
    assert jobs.counts("b")["queued"] == added


def test_every_end_of_a_job_is_a_line_of_the_trail(jobs: JobRecords, turns: JobTurns, engine: Engine) -> None:
    for number in range(1, 8):
        jobs.add(job(number))
    done, failed, dropped, orphaned = (claimed(turns) for _ in range(4))
    assert turns.done(done, answer(done), NOW)
    assert not turns.done(done, answer(done), NOW), "it ends once"
    turns.failed(failed, PROBLEM, NOW)
    jobs.cancel(dropped.id, NOW)
    assert len(deeds(engine)) == 2, "it is being dropped, not ended"
    turns.dropped(dropped, NOW)
    jobs.cancel(orphaned.id, NOW)
    turns.take_over(NOW + 2 * LEASE, None, PROBLEM)
    jobs.cancel(job(5).id, NOW)
    assert len(turns.give_up(NOW + LEASE, PROBLEM, NOW)) == 2
    assert deeds(engine) == [
        ("job done", done.id, f"gos@1 sha256:{'0' * 64}", "ok"),
        ("job failed", failed.id, "gos@1", "internal"),
        ("job cancelled", dropped.id, "gos@1", "ok"),
        ("job cancelled", orphaned.id, "gos@1", "ok"),
        ("job cancelled", job(5).id, "gos@1", "ok"),
        ("job failed", job(6).id, "gos@1", "internal"),
        ("job failed", job(7).id, "gos@1", "internal"),
    ]


def test_a_job_whose_end_cannot_be_written_down_has_not_ended(
    jobs: JobRecords, turns: JobTurns, engine: Engine
) -> None:
    jobs.add(job())
    held = claimed(turns)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        turns.done(held, answer(held), NOW)
    assert jobs.get(held.id).state == "running"
    with pytest.raises(UnknownPredictionError):
        PredictionRecords(engine).get(held.id)


def test_jobs_of_a_batch_that_is_cancelled_are_lines_each(jobs: JobRecords, engine: Engine) -> None:
    batch(engine, 2)
    jobs.cancel_all("b", NOW)
    ended, _ = jobs.page(JobSelection(batch_id="b"), 10, 0)
    assert {each[:2] for each in deeds(engine)} == {("job cancelled", each.id) for each in ended}


def test_a_large_batch_is_looked_at_once_when_it_is_cancelled(jobs: JobRecords, engine: Engine) -> None:
    """Whoever else writes waits meanwhile: what it costs must not grow with the square of the batch, nor with it by questions."""
    batches = BatchRecords(engine)
    for name in ("b", "a"):
        batches.add(Batch(name, "gos", 1, 2, "https://a.example", NOW))
    for number in range(1, 41):
        jobs.add(job(number, batch_id="b" if number % 2 else "a"))
    batches.close("b", NOW)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    jobs.cancel_all("b", NOW)
    assert sum("FROM batches" in each for each in asked) == 1
    found = WebhookRecords(engine).find("b")
    assert found is not None
    assert found.event == "batch.finished"
