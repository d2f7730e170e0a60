"""Keep API keys: of each a digest of its secret, never the secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, Row, bindparam, func, select, update
from sqlalchemy.orm import Session

from app.records.tables import ApiKeyRow, Base

_KEYS: Final = Base.metadata.tables[ApiKeyRow.__tablename__]
_FIND: Final = select(_KEYS).where(_KEYS.c.id == bindparam("shown"))
"""Every request of a system waits for this. Of the table: an object of the ORM takes two and a half times as long, and the longer a found key takes, the
better a clock tells that its id is known."""


@dataclass(frozen=True)
class KeptKey:
    """What is known of a key.

    Attributes:
        id: The public part of the key.
        name: What it is for, in the words of whoever made it.
        roles: What it may do.
        digest: SHA-256 of its secret, hexadecimal.
        created: When it was made.
        expires: From when on it is good no longer.
        revoked: When it was taken back; None while it was not.
        last_used: When it last let somebody in, to about a minute; None where it never did.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    digest: str
    created: datetime
    expires: datetime
    revoked: datetime | None = None
    last_used: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it lets somebody in at this moment."""
        return self.revoked is None and now < self.expires


class ApiKeyRecords:
    """The table of keys. Rows stay after their end: an audit can tell whose key a subject was.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, key: KeptKey) -> None:
        """Keep a new key."""
        row = ApiKeyRow(**vars(key) | {"roles": " ".join(key.roles)})
        with Session(self._engine) as session, session.begin():
            session.add(row)

    def find(self, key_id: str) -> KeptKey | None:
        """The key with this id, good or not; None where there never was one."""
        with self._engine.connect() as connection:
            row = connection.execute(_FIND, {"shown": key_id}).one_or_none()
        return None if row is None else _kept(row)

    def all(self) -> Sequence[KeptKey]:
        """Every key, the oldest first."""
        with Session(self._engine) as session:
            return [
                _kept(row)
                for row in session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created, ApiKeyRow.id))
            ]

    def first_end(self, used_since: datetime) -> datetime | None:
        """When the first key ends, or ended, that is not revoked and let somebody in since then; None where there is none."""
        in_use = ApiKeyRow.revoked.is_(None) & (ApiKeyRow.last_used >= used_since)
        with Session(self._engine) as session:
            return session.scalar(select(func.min(ApiKeyRow.expires)).where(in_use))

    def revoke(self, key_id: str, now: datetime) -> bool:
        """Take a key back, from its next use on; the moment of an earlier revocation stays.

        Returns:
            Whether there was one that could still have been used.
        """
        alive = (ApiKeyRow.id == key_id) & ApiKeyRow.revoked.is_(None)
        with Session(self._engine) as session, session.begin():
            changed = session.execute(
                update(ApiKeyRow).where(alive).values(revoked=now).returning(ApiKeyRow.id)
            )
            return changed.first() is not None

    def used(self, key_id: str, now: datetime) -> None:
        """Note that a key let somebody in."""
        with Session(self._engine) as session, session.begin():
            session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(last_used=now))


def _kept(row: ApiKeyRow | Row[Any]) -> KeptKey:
    return KeptKey(
        row.id,
        row.name,
        tuple(row.roles.split()),
        row.digest,
        row.created,
        row.expires,
        row.revoked,
        row.last_used,
    )
