"""Messages are sent when they are due, whatever the clock said when they were written."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from app.inference.ticket import Urgency
from app.records.jobs import Job, JobRecords
from app.records.webhooks import SET_BACK, WebhookRecords

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def webhooks(engine: Engine) -> WebhookRecords:
    return WebhookRecords(engine)


def write(engine: Engine, message_id: str, now: datetime = NOW) -> None:
    """A message that is due: its job has ended."""
    jobs = JobRecords(engine)
    jobs.add(
        Job(message_id, "queued", Urgency.BATCH, "gos", 1, "{}", now, now, 3, webhook_url="https://a.example")
    )
    jobs.cancel(message_id, now)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
def test_a_message_that_was_written_while_the_clock_was_ahead_does_not_wait_for_it(
    engine: Engine, webhooks: WebhookRecords, ahead: timedelta
) -> None:
    write(engine, "a", NOW + ahead)
    assert [each.id for each in webhooks.claim(1, NOW, SOON)] == ["a"]
    assert webhooks.claim(1, NOW, SOON) == []


def test_a_message_that_was_put_off_while_the_clock_was_ahead_is_sent_again(
    engine: Engine, webhooks: WebhookRecords
) -> None:
    write(engine, "a")
    (sent,) = webhooks.claim(1, NOW, SOON)
    webhooks.settle(sent, "waiting", NOW + SET_BACK)
    assert webhooks.claim(1, NOW, SOON) == []
    webhooks.settle(sent, "waiting", NOW + timedelta(days=365))
    assert [each.attempt for each in webhooks.claim(1, NOW, SOON)] == [2]
