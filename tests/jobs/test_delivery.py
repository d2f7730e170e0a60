"""Webhooks are sent to allowed hosts until they are taken, with growing pauses, and given up in the end; a restart loses none."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from app.inference.ticket import Urgency
from app.jobs.addresses import AllowedAddresses
from app.jobs.delivery import PAUSES_S, Deliveries
from app.jobs.sender import WebhookSender
from app.jobs.signals import Signals
from app.metrics import Metrics
from app.records.jobs import Job
from app.records.store import RecordStore
from app.records.webhooks import SET_BACK, Webhook
from tests.service.jobs import Receiver, receiving

NOW = datetime.now(UTC)
DEADLINE_S = 30
ABSENT = "http://127.0.0.1:1"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    opened = RecordStore(tmp_path / "records.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def due(records: RecordStore, url: str, job_id: str = "a") -> None:
    """A message that is due: its job has ended."""
    records.jobs.add(Job(job_id, "queued", Urgency.BATCH, "gos", 1, "{}", NOW, NOW, 3, webhook_url=url))
    records.jobs.cancel(job_id, NOW)


def deliver_until(
    records: RecordStore, hosts: str, holds: Callable[[], bool], metrics: Metrics | None = None
) -> None:
    addresses = AllowedAddresses(hosts, signed=True)

    async def work() -> None:
        signals = Signals()
        signals.bind()
        sender = WebhookSender(bytes(24))
        deliveries = Deliveries(records.webhooks, addresses, sender, signals, metrics or Metrics())
        async with anyio.create_task_group() as group:
            group.start_soon(deliveries.run)
            signals.message_came()
            with anyio.fail_after(DEADLINE_S):
                while not holds():  # noqa: ASYNC110 - the database is what is waited for
                    await anyio.sleep(0.02)
            group.cancel_scope.cancel()

    anyio.run(work)


def message(records: RecordStore, job_id: str = "a") -> Webhook:
    found = records.webhooks.find(job_id)
    assert found is not None
    return found


def test_a_message_that_is_taken_is_sent_once(records: RecordStore, receiver: Receiver) -> None:
    due(records, receiver.url)
    metrics = Metrics()
    deliver_until(records, receiver.url, lambda: message(records).state == "delivered", metrics)
    assert len(receiver.received) == 1
    assert 'neurofuse_webhooks_total{outcome="delivered"} 1.0' in metrics.render().decode()


def test_a_message_that_is_not_taken_waits_and_comes_again(records: RecordStore, receiver: Receiver) -> None:
    receiver.statuses[:] = [500]
    due(records, receiver.url)
    deliver_until(records, receiver.url, lambda: message(records).state == "delivered")
    first, second = (headers["webhook-id"] for _, headers, _ in receiver.received)
    assert first == second == "a"
    assert message(records).attempt == 2


def test_a_receiver_that_wants_no_more_is_left_alone(records: RecordStore, receiver: Receiver) -> None:
    receiver.statuses[:] = [410]
    due(records, receiver.url)
    deliver_until(records, receiver.url, lambda: message(records).state == "failed")
    assert message(records).attempt == 1


def test_pauses_grow_until_a_message_is_given_up(records: RecordStore, receiver: Receiver) -> None:
    """Its last attempt but one, and its last: those before it are written down as if they had been made."""
    due(records, receiver.url)
    now = NOW
    for _ in range(len(PAUSES_S) - 1):
        (claimed,) = records.webhooks.claim(1, now, now)
        records.webhooks.settle(claimed, "waiting", NOW)
    receiver.statuses[:] = [503, 503]
    deliver_until(
        records, receiver.url, lambda: message(records).due > datetime.now(UTC) + timedelta(hours=23)
    )
    (claimed,) = records.webhooks.claim(1, message(records).due, NOW)
    records.webhooks.settle(claimed, "waiting", NOW)
    deliver_until(records, receiver.url, lambda: message(records).state == "failed")


def test_no_pause_is_taken_for_a_clock_that_was_set_back() -> None:
    assert timedelta(seconds=max(PAUSES_S)) < SET_BACK


def test_an_attempt_that_a_crash_cut_short_is_made_again(records: RecordStore, receiver: Receiver) -> None:
    due(records, receiver.url)
    records.webhooks.claim(1, NOW, datetime.now(UTC) + timedelta(seconds=0.5))
    deliver_until(records, receiver.url, lambda: message(records).state == "delivered")
    assert message(records).attempt == 2


def test_a_receiver_that_is_not_there_does_not_hold_up_the_others(
    records: RecordStore, receiver: Receiver
) -> None:
    due(records, ABSENT, "absent")
    due(records, receiver.url, "b")
    deliver_until(records, f"{ABSENT},{receiver.url}", lambda: message(records, "b").state == "delivered")
    assert message(records, "absent").state == "waiting"


def test_a_host_that_was_taken_off_the_list_is_not_called_any_more(
    records: RecordStore, receiver: Receiver
) -> None:
    due(records, f"{receiver.url}/told?key=SECRET")
    metrics = Metrics()
    with capture_logs() as lines:
        deliver_until(records, "ris.example.org", lambda: message(records).state == "failed", metrics)
    assert receiver.received == []
    assert [line for line in lines if line["event"] == "webhook-refused"] == [
        {"event": "webhook-refused", "log_level": "warning", "prediction_id": "a"}
    ]
    assert "SECRET" not in str(lines)
    assert 'neurofuse_webhooks_total{outcome="given-up"} 1.0' in metrics.render().decode()
