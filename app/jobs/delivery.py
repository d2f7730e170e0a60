"""Webhooks on their way: each is sent until its receiver takes it, with growing pauses, for two days; restarts lose none."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import anyio
import anyio.to_thread
import structlog
from anyio.abc import TaskGroup

from app.errors import WebhookRefusedError
from app.jobs.addresses import AllowedAddresses, Origin, origin_of
from app.jobs.sender import TIMEOUT_S, WebhookSender
from app.jobs.signals import Signals
from app.metrics import Metrics
from app.records.webhooks import Webhook, WebhookRecords, WebhookState
from app.telemetry import log_fault

PAUSES_S: Final = (1, 5, 30, 120, 600, 3600, 7200, 18000, 36000, 86400)
"""Before the second attempt, the third, and so on; after the last, it is given up."""
AT_ONCE: Final = 2
"""Messages that one process sends to one receiver at the same time. All together are bounded by the operator's list of hosts alone:
receivers that hang would use up any other bound, and hold up the others."""
LOOK_EVERY_S: Final = 2.0
LONGEST_PAUSE_S: Final = 20.0
GONE: Final = 410
"""A receiver that answers so wants no more (Standard Webhooks, "Response status codes")."""
SUCCESS: Final = range(200, 300)

Verdict = tuple[str, WebhookState, datetime]
"""What comes of an attempt: its outcome, the message's state, and when it is due again."""

log = structlog.stdlib.get_logger(__name__)


class Deliveries:
    """Delivers what is written down.

    Args:
        records: The table of messages.
        addresses: Where they may go now: the operator may have taken a host off the list since it was accepted.
        sender: How one is sent.
        signals: Say that a message may be due.
        metrics: Where attempts are counted.
    """

    def __init__(
        self,
        records: WebhookRecords,
        addresses: AllowedAddresses,
        sender: WebhookSender,
        signals: Signals,
        metrics: Metrics,
    ) -> None:
        self._records = records
        self._addresses = addresses
        self._sender = sender
        self._signals = signals
        self._metrics = metrics
        self._sending: Counter[Origin | None] = Counter()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            async with anyio.create_task_group() as group:
                pause_s = LOOK_EVERY_S
                while True:
                    with anyio.move_on_after(pause_s):
                        await self._signals.messages.wait()
                    self._signals.messages.clear()
                    # After a fault, since each is a line in the log.
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                    with _faults_logged():
                        await self._begin_due(group)
                        pause_s = LOOK_EVERY_S
        finally:
            with anyio.CancelScope(shield=True):
                await self._sender.close()

    async def _begin_due(self, group: TaskGroup) -> None:
        while (webhook := await anyio.to_thread.run_sync(self._claim)) is not None:
            self._sending[origin_of(webhook.url)] += 1
            group.start_soon(self._deliver, webhook)

    def _claim(self) -> Webhook | None:
        now = datetime.now(UTC)
        return self._records.claim(now, now + timedelta(seconds=3 * TIMEOUT_S), self._has_room)

    def _has_room(self, url: str) -> bool:
        return self._sending[origin_of(url)] < AT_ONCE

    async def _deliver(self, webhook: Webhook) -> None:
        try:
            with _faults_logged():
                outcome, state, due = await self._attempt(webhook)
                self._metrics.webhooks.labels(outcome).inc()
                await anyio.to_thread.run_sync(self._records.settle, webhook, state, due)
        finally:
            self._sending[origin_of(webhook.url)] -= 1
            self._signals.message_came()  # there is room for the next one

    async def _attempt(self, webhook: Webhook) -> Verdict:
        try:
            self._addresses.judge(webhook.url)
        except WebhookRefusedError:
            log.warning("webhook-refused", prediction_id=webhook.id)
            return "given-up", "failed", datetime.now(UTC)
        status = await self._sender.send(webhook)
        outcome, state, due = _judge(webhook, status)
        level: Callable[..., None] = log.info if state == "delivered" else log.warning
        level("webhook-sent", prediction_id=webhook.id, status=status, state=state, count=webhook.attempt)
        return outcome, state, due


@contextmanager
def _faults_logged() -> Iterator[None]:
    """The database may say anything; what it says of one message holds up no other, and the next look tries again."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - see above
        log_fault(log, "delivery-fault", error)


def _judge(webhook: Webhook, status: int | None) -> Verdict:
    now = datetime.now(UTC)
    if status in SUCCESS:
        return "delivered", "delivered", now
    if status == GONE or webhook.attempt > len(PAUSES_S):
        return "given-up", "failed", now
    return "postponed", "waiting", now + timedelta(seconds=PAUSES_S[webhook.attempt - 1])
