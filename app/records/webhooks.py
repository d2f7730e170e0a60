"""Messages to be delivered; `app.records.job_events` writes them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, Engine, delete, or_, select, update
from sqlalchemy.orm import Session

from app.records.tables import WebhookRow, kept_as

WebhookState = Literal["waiting", "delivered", "failed"]

SET_BACK: Final = timedelta(hours=25)
"""What is due further in the future was written before the clock was set back: no pause of ours is so long."""

ROWS: Final = 100
"""Read at a time: behind a receiver that hangs, many may wait."""


@dataclass(frozen=True)
class Webhook:
    """One message; the members are explained in `app.records.tables.WebhookRow`."""

    id: str
    url: str
    event: str
    state: WebhookState
    attempt: int
    due: datetime
    created: datetime


class WebhookRecords:
    """The table of messages.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, subject_id: str) -> Webhook | None:
        """The message on the end of a job or a batch, or None while there is none."""
        with Session(self._engine) as session:
            row = session.get(WebhookRow, subject_id)
            return None if row is None else kept_as(Webhook, row)

    def of(self, subject_ids: Iterable[str]) -> dict[str, Webhook]:
        """The messages on the ends of several jobs or batches, by their ids."""
        query = select(WebhookRow).where(WebhookRow.id.in_(list(subject_ids)))
        with Session(self._engine) as session:
            return {row.id: kept_as(Webhook, row) for row in session.scalars(query)}

    def claim(
        self, now: datetime, until: datetime, has_room: Callable[[str], bool] = lambda _: True
    ) -> Webhook | None:
        """Begin to send a message: of those that are due, the one that waited longest.

        Args:
            now: Only what is due.
            until: When this attempt counts as failed, should nothing be heard of it.
            has_room: Whether one more may go to an address now; where not, its message lets others by.

        Returns:
            The message, or None where there is none.
        """
        while (message_id := self._oldest(now, has_room)) is not None:
            begin = (
                update(WebhookRow)
                .where(WebhookRow.id == message_id, *_due(now))
                .values(attempt=WebhookRow.attempt + 1, due=until)
                .returning(WebhookRow)
            )
            with Session(self._engine) as session, session.begin():
                row = session.scalars(begin).first()
                if row is not None:  # else another process was faster
                    return kept_as(Webhook, row)
        return None

    def _oldest(self, now: datetime, has_room: Callable[[str], bool]) -> str | None:
        """Read first: there is nearly always nothing to send, and SQLite is spared a write."""
        due = select(WebhookRow.id, WebhookRow.url).where(*_due(now)).order_by(WebhookRow.due)
        in_parts = due.execution_options(yield_per=ROWS)
        with Session(self._engine) as session, session.execute(in_parts) as rows:
            return next((row.id for row in rows if has_room(row.url)), None)

    def settle(self, webhook: Webhook, state: WebhookState, due: datetime) -> None:
        """Note what came of an attempt, unless a later one has begun."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(WebhookRow)
                .where(WebhookRow.id == webhook.id, WebhookRow.attempt == webhook.attempt)
                .values(state=state, due=due)
            )

    def delete_settled(self, before: datetime) -> int:
        """Forget messages made before a moment that will not be sent again. Their number."""
        gone = delete(WebhookRow).where(WebhookRow.state != "waiting", WebhookRow.created < before)
        with Session(self._engine) as session, session.begin():
            return len(session.scalars(gone.returning(WebhookRow.id)).all())


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    # What was never sent has no pause: where its moment is still to come, it was written while the clock was ahead.
    is_due = or_(WebhookRow.due <= now, WebhookRow.attempt == 0, WebhookRow.due > now + SET_BACK)
    return WebhookRow.state == "waiting", is_due
