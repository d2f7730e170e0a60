"""Messages are claimed once and when they are due, whatever the clock said when they were written."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from app.inference.ticket import Urgency
from app.records.job_turns import JobTurns
from app.records.jobs import Job, JobRecords
from app.records.predictions import KeptPrediction, PredictionRecords
from app.records.webhooks import SET_BACK, Webhook, WebhookRecords

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def webhooks(engine: Engine) -> WebhookRecords:
    return WebhookRecords(engine)


def write(engine: Engine, message_id: str, now: datetime = NOW, url: str = "https://a.example") -> None:
    """A message that is due: its job has ended."""
    jobs = JobRecords(engine)
    jobs.add(Job(message_id, "queued", Urgency.BATCH, "gos", 1, "{}", now, now, 3, webhook_url=url))
    jobs.cancel(message_id, now)


def claimed(webhooks: WebhookRecords) -> Webhook:
    found = webhooks.claim(NOW, SOON)
    assert found is not None
    return found


def test_many_that_send_never_begin_one_message_twice(engine: Engine, webhooks: WebhookRecords) -> None:
    for number in range(20):
        write(engine, str(number))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: webhooks.claim(NOW, SOON), range(30)))
    assert sorted(int(each.id) for each in found if each is not None) == list(range(20))


def test_who_was_overtaken_takes_the_next_message(engine: Engine, webhooks: WebhookRecords) -> None:
    for number in (1, 2):
        write(engine, str(number), NOW - timedelta(seconds=9 - number))
    overtaking = [webhooks]

    def has_room(_: str) -> bool:
        """Asked between the reading and the taking."""
        if overtaking:
            assert claimed(overtaking.pop()).id == "1"
        return True

    found = webhooks.claim(NOW, SOON, has_room)
    assert found is not None
    assert found.id == "2"


def test_a_message_whose_receiver_has_no_room_lets_others_by(
    engine: Engine, webhooks: WebhookRecords
) -> None:
    full, free = "https://full.example", "https://free.example"
    for number in range(2):
        write(engine, str(number), NOW - timedelta(seconds=9), full)
    write(engine, "free", url=free)
    found = webhooks.claim(NOW, SOON, lambda url: url != full)
    assert found is not None
    assert found.id == "free"
    assert webhooks.claim(NOW, SOON, lambda url: url != full) is None
    assert claimed(webhooks).url == full


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
def test_a_message_that_was_written_while_the_clock_was_ahead_does_not_wait_for_it(
    engine: Engine, webhooks: WebhookRecords, ahead: timedelta
) -> None:
    write(engine, "a", NOW + ahead)
    assert claimed(webhooks).id == "a"
    assert webhooks.claim(NOW, SOON) is None


def test_a_message_that_was_put_off_while_the_clock_was_ahead_is_sent_again(
    engine: Engine, webhooks: WebhookRecords
) -> None:
    write(engine, "a")
    sent = claimed(webhooks)
    webhooks.settle(sent, "waiting", NOW + SET_BACK)
    assert webhooks.claim(NOW, SOON) is None
    webhooks.settle(sent, "waiting", NOW + timedelta(days=365))
    assert claimed(webhooks).attempt == 2


@pytest.mark.parametrize("begun", [False, True])
def test_the_message_on_an_answer_goes_with_it(
    engine: Engine, webhooks: WebhookRecords, *, begun: bool
) -> None:
    """It would lead to nothing, and its address may say more of a patient than ours do."""
    turns, url = JobTurns(engine), "https://a.example/case?of=017"
    JobRecords(engine).add(Job("a", "queued", 2, "gos", 1, "{}", NOW, NOW, 3, webhook_url=url))
    job = turns.claim("me", [("gos", 1)], 2, NOW)
    assert job is not None
    kept = KeptPrediction(
        "a", NOW, "gos", 1, "0" * 64, "{}", "gos", "gos_4", 0.7, abstained=False, out_of_distribution=False
    )
    assert turns.done(job, kept, NOW)
    sent = webhooks.claim(NOW, SOON) if begun else None
    PredictionRecords(engine).delete("a")
    if sent is not None:
        webhooks.settle(sent, "waiting", NOW)
    assert webhooks.find("a") is None
    assert webhooks.claim(SOON, SOON) is None
