"""Sessions of people who signed in on the page: a random value in a cookie, its digest in the database.

Both limits of OWASP ASVS 5.0, 7.3 hold: one on doing nothing, one in all. Every look goes to the database, so a session that
is ended, here or by command, is worth nothing at once, whichever process ended it.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from app.errors import NeuroFuseError
from app.records.sessions import SessionRecords, SignedIn
from app.security.principal import Principal, Role

VALUE_BYTES: Final = 32
SEEN_EVERY: Final = timedelta(minutes=1)
"""A page asks many times a second; that a session is in use is noted less often."""


@dataclass(frozen=True)
class OpenSession:
    """A session that is good now.

    Attributes:
        principal: Who is signed in.
        expires: When they are not, whatever they do.
    """

    principal: Principal
    expires: datetime


class Sessions:
    """Begins, finds and ends sessions.

    Args:
        records: Where they are kept.
        idle: How long one lasts in which nothing is done.
        lifetime: How long one lasts in all.
    """

    def __init__(self, records: SessionRecords, idle: timedelta, lifetime: timedelta) -> None:
        self._records = records
        self._idle = idle
        self._lifetime = lifetime

    def begin(self, principal: Principal) -> str:
        """A new session; its value, which is kept by the browser alone."""
        value, now = secrets.token_urlsafe(VALUE_BYTES), datetime.now(UTC)
        roles = " ".join(sorted(principal.roles))
        self._records.add(SignedIn(_digest(value), principal.subject, principal.name, roles, now, now))
        return value

    def find(self, value: str, *, is_use: bool = True) -> OpenSession | None:
        """The session of a value; None where it is over, or never was.

        Args:
            value: Of the cookie.
            is_use: Whether this puts off its end.

        Raises:
            StorageUnavailableError: The database does not answer now.
        """
        kept, now = self._records.find(_digest(value)), datetime.now(UTC)
        if kept is None or now - kept.created >= self._lifetime or now - kept.seen >= self._idle:
            return None
        if is_use and now - kept.seen >= min(SEEN_EVERY, self._idle / 2):
            self._note(kept.digest, now)
        # A role that this release does not know lets nobody in.
        roles: frozenset[Role] = frozenset(role for role in get_args(Role) if role in kept.roles.split())
        return OpenSession(Principal(kept.subject, "oidc", roles, kept.name), kept.created + self._lifetime)

    def _note(self, digest: str, now: datetime) -> None:
        try:
            self._records.saw(digest, now)
        except NeuroFuseError:
            """A full disk must not keep out whoever could be read."""

    def end(self, value: str) -> None:
        """End the session of a value; nothing happens where there is none."""
        self._records.delete(_digest(value))

    def sweep(self) -> int:
        """Forget what is over, names and all; how many that were."""
        now = datetime.now(UTC)
        return self._records.delete_before(created=now - self._lifetime, seen=now - self._idle)


def _digest(value: str) -> str:
    # One round: the value has 256 random bits, so there is nothing to guess that a slow hash would protect.
    return hashlib.sha256(value.encode()).hexdigest()
