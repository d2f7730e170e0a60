"""Keep who is signed in on the page: of a session's cookie only the digest, so that a stolen database opens nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Delete, Engine, delete, or_, select, update
from sqlalchemy.orm import Session

from app.records.tables import SessionRow, kept_as


@dataclass(frozen=True)
class SignedIn:
    """One browser in which somebody is signed in; the members are explained in `app.records.tables.SessionRow`."""

    digest: str
    subject: str
    name: str
    roles: str
    created: datetime
    seen: datetime


class SessionRecords:
    """The table of sessions.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, session: SignedIn) -> None:
        """Keep a session."""
        with Session(self._engine) as transaction, transaction.begin():
            transaction.add(SessionRow(**vars(session)))

    def find(self, digest: str) -> SignedIn | None:
        """The session whose cookie has this digest, over its time or not."""
        with Session(self._engine) as transaction:
            row = transaction.get(SessionRow, digest)
            return None if row is None else kept_as(SignedIn, row)

    def all(self) -> list[SignedIn]:
        """Every session, the latest first."""
        with Session(self._engine) as transaction:
            return [
                kept_as(SignedIn, row)
                for row in transaction.scalars(select(SessionRow).order_by(SessionRow.created.desc()))
            ]

    def saw(self, digest: str, now: datetime) -> None:
        """Note that it was used."""
        with Session(self._engine) as transaction, transaction.begin():
            transaction.execute(update(SessionRow).where(SessionRow.digest == digest).values(seen=now))

    def delete(self, digest: str) -> None:
        """End a session; nothing happens where there is none."""
        with Session(self._engine) as transaction, transaction.begin():
            transaction.execute(delete(SessionRow).where(SessionRow.digest == digest))

    def delete_of(self, subject: str) -> int:
        """End every session of a person. The number of sessions."""
        return self._delete(delete(SessionRow).where(SessionRow.subject == subject))

    def delete_before(self, created: datetime, seen: datetime) -> int:
        """Forget what was begun, or last used, before a moment. The number of sessions."""
        return self._delete(
            delete(SessionRow).where(or_(SessionRow.created < created, SessionRow.seen < seen))
        )

    def _delete(self, gone: Delete) -> int:
        with Session(self._engine) as transaction, transaction.begin():
            return len(transaction.scalars(gone.returning(SessionRow.digest)).all())
