"""API keys: `nfk_`, a public id of 16 hexadecimal digits, and a secret of 64.

The prefix lets secret scanners find a key that leaked. The secret has 256 random bits, so one round of SHA-256 is enough
to keep it by: there is nothing to guess that a slow hash would protect (OWASP ASVS 5.0, 11.4; NIST SP 800-63B-4, 3.1.2.2).
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from app.errors import NeuroFuseError
from app.records.api_keys import ApiKeyRecords, KeptKey
from app.security.principal import Principal, Role

PREFIX: Final = "nfk_"
ID_BYTES: Final = 8
SECRET_BYTES: Final = 32
FORM: Final = re.compile(rf"{PREFIX}([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")
NOTED_EVERY_S: Final = 60.0


def make_key(name: str, roles: Collection[Role], days: float, now: datetime) -> tuple[KeptKey, str]:
    """A new key.

    Args:
        name: What it is for.
        roles: What it may do.
        days: How long it is good.
        now: With its time zone.

    Returns:
        What is kept of it, and the key itself, which is shown once and kept nowhere.
    """
    key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    kept = KeptKey(key_id, name, tuple(sorted(roles)), _digest(secret), now, now + timedelta(days=days))
    return kept, f"{PREFIX}{key_id}_{secret}"


class Keys:
    """Tells whose key was shown. Every look goes to the database: a key that is taken back is worth nothing at once.

    Args:
        records: The table of keys.
    """

    def __init__(self, records: ApiKeyRecords) -> None:
        self._records = records
        self._noted: dict[str, float] = {}

    def principal(self, credential: str) -> Principal | None:
        """Whoever the key was made for; None where it is not good.

        Raises:
            StorageUnavailableError: The database does not answer now.
        """
        form = FORM.fullmatch(credential)
        if form is None:
            return None
        kept, sent = self._records.find(form[1]), _digest(form[2])
        # What is compared are digests, in constant time, and where there is no such key as well: how long it takes tells
        # neither how much of a secret was right nor, but for the database's own look, whether the id is known.
        fits = hmac.compare_digest(sent, kept.digest if kept else "0" * len(sent))
        if not (fits and kept and kept.is_good(datetime.now(UTC))):
            return None
        self._note(kept.id)
        roles = frozenset(role for role in get_args(Role) if role in kept.roles)
        return Principal(f"key:{kept.id}", "key", roles, kept.name)

    def _note(self, key_id: str) -> None:
        now = time.monotonic()
        if now - self._noted.get(key_id, -NOTED_EVERY_S) < NOTED_EVERY_S:
            return
        self._noted[key_id] = now
        try:
            self._records.used(key_id, datetime.now(UTC))
        except NeuroFuseError:
            """A full disk must not keep out whoever could be read."""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
