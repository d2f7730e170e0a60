"""Webhooks are sent to allowed hosts until they are taken, with growing pauses, and given up in the end; a restart loses none."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from app.inference.ticket import Urgency
from app.jobs import sender
from app.jobs.addresses import AllowedAddresses
from app.jobs.delivery import AT_ONCE, PAUSES_S, Deliveries
from app.jobs.sender import WebhookSender
from app.jobs.signals import Signals
from app.metrics import Metrics
from app.records.jobs import Job
from app.records.store import RecordStore
from app.records.webhooks import SET_BACK, Webhook
from tests.service.jobs import Receiver, receiving
from tests.support.records import tables_at
from tests.support.waiting import LONGEST_S

NOW = datetime.now(UTC)
ABSENT = "http://127.0.0.1:1"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    opened = RecordStore(tables_at(tmp_path / "records.sqlite3"))
    yield opened
    opened.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def due(records: RecordStore, url: str, job_id: str = "a", now: datetime = NOW) -> None:
    """A message that is due: its job has ended."""
    records.jobs.add(Job(job_id, "queued", Urgency.BATCH, "gos", 1, "{}", now, now, 3, webhook_url=url))
    records.jobs.cancel(job_id, now)


def deliver_until(
    records: RecordStore, hosts: str, holds: Callable[[], bool], metrics: Metrics | None = None
) -> None:
    addresses = AllowedAddresses(hosts, signed=True)

    async def work() -> None:
        signals = Signals()
        signals.bind()
        deliveries = Deliveries(
            records.webhooks, addresses, WebhookSender(bytes(24)), signals, metrics or Metrics()
        )
        async with anyio.create_task_group() as group:
            group.start_soon(deliveries.run)
            signals.message_came()
            with anyio.fail_after(LONGEST_S):
                while not holds():  # noqa: ASYNC110 - the database is what is waited for
                    await anyio.sleep(0.02)
            group.cancel_scope.cancel()

    anyio.run(work)


def message(records: RecordStore, job_id: str = "a") -> Webhook:
    found = records.webhooks.find(job_id)
    assert found is not None
    return found


def claimed(records: RecordStore, now: datetime, until: datetime) -> Webhook:
    found = records.webhooks.claim(now, until)
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
        records.webhooks.settle(claimed(records, now, now), "waiting", NOW)
    receiver.statuses[:] = [503, 503]
    deliver_until(
        records, receiver.url, lambda: message(records).due > datetime.now(UTC) + timedelta(hours=23)
    )
    records.webhooks.settle(claimed(records, message(records).due, NOW), "waiting", NOW)
    deliver_until(records, receiver.url, lambda: message(records).state == "failed")


def test_no_pause_is_taken_for_a_clock_that_was_set_back() -> None:
    assert timedelta(seconds=max(PAUSES_S)) < SET_BACK


def test_an_attempt_that_a_crash_cut_short_is_made_again(records: RecordStore, receiver: Receiver) -> None:
    due(records, receiver.url)
    records.webhooks.claim(NOW, datetime.now(UTC) + timedelta(seconds=0.5))
    deliver_until(records, receiver.url, lambda: message(records).state == "delivered")
    assert message(records).attempt == 2


def test_a_receiver_that_is_not_there_does_not_hold_up_the_others(
    records: RecordStore, receiver: Receiver
) -> None:
    due(records, ABSENT, "absent")
    due(records, receiver.url, "b")
    deliver_until(records, f"{ABSENT},{receiver.url}", lambda: message(records, "b").state == "delivered")
    assert message(records, "absent").state == "waiting"


def test_a_receiver_that_hangs_holds_up_no_other(
    records: RecordStore, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TIMEOUT_S", 3600)
    with receiving() as hanging:
        ids = [f"held {number}" for number in range(6)]
        for job_id in ids:
            due(records, f"{hanging.url}/held?{job_id[-1]}", job_id, NOW - timedelta(seconds=1))
        due(records, receiver.url, "b")
        hosts = f"{hanging.url},{receiver.url}"
        begun = list[int]()

        def delivered() -> bool:
            # Counted before the end, which lets go of those that hang, and so lets others begin.
            begun.append(sum(message(records, job_id).attempt for job_id in ids))
            return message(records, "b").state == "delivered"

        deliver_until(records, hosts, delivered)
        assert begun[-1] == AT_ONCE


def test_a_message_that_hangs_holds_up_none_that_comes_after_it(
    records: RecordStore, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TIMEOUT_S", 3600)
    due(records, f"{receiver.url}/held", "held", NOW - timedelta(seconds=1))
    ids = [str(number) for number in range(6)]
    for job_id in ids:
        due(records, receiver.url, job_id)
    deliver_until(
        records,
        receiver.url,
        lambda: {message(records, job_id).state for job_id in ids} == {"delivered"},
    )
    assert (message(records, "held").state, message(records, "held").attempt) == ("waiting", 1)


def test_what_cannot_be_noted_of_one_message_holds_up_no_other(
    tmp_path: Path, records: RecordStore, receiver: Receiver
) -> None:
    """The other is on its way when the database refuses, and is answered once that was logged."""
    with closing(sqlite3.connect(tmp_path / "records.sqlite3")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON webhooks WHEN NEW.id = 'a' AND NEW.state = 'delivered' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    due(records, f"{receiver.url}/held", "held", NOW - timedelta(seconds=1))
    due(records, receiver.url)
    with capture_logs() as lines:

        def holds() -> bool:
            if any(line["event"] == "delivery-fault" for line in lines):
                receiver.lets_go.set()
            return message(records, "held").state == "delivered"

        deliver_until(records, receiver.url, holds)
    assert message(records, "held").attempt == 1


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


def test_a_database_that_stays_away_is_asked_less_and_less_often(
    tmp_path: Path, records: RecordStore, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question is a line in the log. Once it answers, it is asked as before."""
    due(records, receiver.url)
    pauses: list[float] = []
    at_once = anyio.move_on_after
    with closing(sqlite3.connect(tmp_path / "records.sqlite3")) as database:
        database.execute("ALTER TABLE webhooks RENAME TO away")

        def pause(seconds: float) -> anyio.CancelScope:
            pauses.append(seconds)
            if len(pauses) == 7:
                database.execute("ALTER TABLE away RENAME TO webhooks")
            return at_once(0)

        monkeypatch.setattr(anyio, "move_on_after", pause)
        deliver_until(records, receiver.url, lambda: len(pauses) > 7 and bool(receiver.received))
    assert pauses[:8] == [2.0, 4.0, 8.0, 16.0, 20.0, 20.0, 20.0, 2.0]
