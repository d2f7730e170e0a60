"""Messages to be delivered; `app.records.job_events` writes them."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from app.records.tables import WebhookRow

WebhookState = Literal["waiting", "delivered", "failed"]


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
            return None if row is None else _webhook_of(row)

    def claim(self, now: datetime, until: datetime) -> Webhook | None:
        """Begin to send the message that waited longest.

        Args:
            now: Only what is due.
            until: When this attempt counts as failed, should nothing be heard of it.
        """
        next_id = (
            select(WebhookRow.id)
            .where(WebhookRow.state == "waiting", WebhookRow.due <= now)
            .order_by(WebhookRow.due)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        begin = (
            update(WebhookRow)
            .where(WebhookRow.id == next_id, WebhookRow.due <= now)
            .values(attempt=WebhookRow.attempt + 1, due=until)
            .returning(WebhookRow)
        )
        with Session(self._engine) as session, session.begin():
            row = session.scalars(begin).first()
            return None if row is None else _webhook_of(row)

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


def _webhook_of(row: WebhookRow) -> Webhook:
    return Webhook(**{field.name: getattr(row, field.name) for field in fields(Webhook)})
