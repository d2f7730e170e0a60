"""Ten thousand bad tokens and keys let no one in; how long a refusal takes tells nothing."""

import hmac
import random
import string
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.records.api_keys import ApiKeyRecords
from app.records.store import RecordStore
from app.security.authenticator import Authenticator
from app.security.keys import make_key
from app.settings import Settings
from tests.security.test_tokens import AUDIENCE, forged, token
from tests.support.oidc import Provider
from tests.support.records import tables_at

BAD_ONES = 10_000
ADMIN = "of-a-test-" + "0123456789abcdef" * 2
METRICS = "of-prometheus-" + "0123456789abcdef" * 2


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[ApiKeyRecords]:
    with closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as records:
        yield records.api_keys


def authenticator(keys: ApiKeyRecords, **settings: Any) -> Authenticator:
    chosen = {"authentication": "on", "admin_token": ADMIN, "metrics_token": METRICS} | settings
    return Authenticator(Settings(**chosen), keys)


def test_ten_thousand_bad_tokens_and_keys_let_no_one_in(keys: ApiKeyRecords, provider: Provider) -> None:
    kept, key = make_key("of a test", {"admin"}, 1, datetime.now(UTC))
    keys.add(kept)
    door = authenticator(keys, oidc_issuer=provider.issuer, oidc_audience=AUDIENCE)
    good = [key, token(provider), ADMIN, METRICS]
    assert all(door.principal(f"Bearer {each}") for each in good)
    bad: set[str] = set()
    for each in bad_ones(good, forged(provider)):
        bad |= {each} - set(good)
        if len(bad) == BAD_ONES:
            break
    assert [each for each in bad if door.principal(f"Bearer {each}") is not None] == []


def bad_ones(good: list[str], forgeries: list[str]) -> Iterator[str]:
    """Each a small step from what is good: other letters, cut off, longer, parts of one with parts of another."""
    chance = random.Random(20261128)  # noqa: S311 - the same ones in every run
    yield from forgeries
    while True:
        one, other = chance.choice(good), chance.choice(good)
        place = chance.randrange(len(one) - 1)
        # Not the last letter: of a signature in base64 some of its bits mean nothing.
        letter = chance.choice((string.ascii_letters + string.digits).replace(one[place], ""))
        yield one[:place] + letter + one[place + 1 :]
        yield one[:place]
        yield one + one[: place + 1]
        yield one[:place] + other[place:] if one != other else other[::-1]
        yield f"nfk_{chance.randbytes(8).hex()}_{key_secret(good[0])}"


def key_secret(key: str) -> str:
    return key.rpartition("_")[2]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "{}", "Basic {}", "Token {}", "Bearer {},", "Bearer Bearer {}", 'Bearer "{}"', "Bearer {} {}"],
)  # fmt: skip
def test_a_good_credential_in_another_form_is_none(keys: ApiKeyRecords, header: str) -> None:
    kept, key = make_key("of a test", {"admin"}, 1, datetime.now(UTC))
    keys.add(kept)
    door = authenticator(keys)
    assert [door.principal(header.format(each, each)) for each in (key, ADMIN)] == [None, None]
    # RFC 9110, section 11.1: the name of the scheme is written in any case.
    assert door.principal(f"bearer {key}") is not None


def test_fixed_tokens_have_the_roles_that_they_are_for(keys: ApiKeyRecords) -> None:
    door = authenticator(keys)
    assert {each: who.roles for each in (ADMIN, METRICS) if (who := door.principal(f"Bearer {each}"))} == {
        ADMIN: {"admin", "ops"},
        METRICS: {"ops"},
    }


def test_where_authentication_is_off_everybody_is_local_and_only_the_admin_token_says_more(
    keys: ApiKeyRecords,
) -> None:
    door = authenticator(keys, authentication="off")
    found = {
        shown: door.principal(shown)
        for shown in ("", "Bearer of-nobody", f"Bearer {METRICS}", f"Bearer {ADMIN}")
    }
    roles = {shown: who.roles for shown, who in found.items() if who}
    everybody = {"clinician", "system", "ops"}
    assert list(roles.values()) == [everybody, everybody, everybody, everybody | {"admin"}]


def test_every_comparison_is_made_in_constant_time_and_to_the_end(
    keys: ApiKeyRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock could not tell: what differs are nanoseconds beside a look into the database. What it rests on can be counted.
    kept, key = make_key("of a test", {"admin"}, 1, datetime.now(UTC))
    keys.add(kept)
    door, constant = authenticator(keys), hmac.compare_digest
    compared: list[tuple[int, int]] = []

    def counting(one: Any, other: Any) -> bool:
        compared.append((len(one), len(other)))
        return constant(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    unknown = f"nfk_{'0' * 16}_{key_secret(key)}"
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    of_fixed = [len(ADMIN), len(METRICS)]
    for shown in (ADMIN, "x" + ADMIN[1:], ADMIN[:-1] + "x", METRICS, key, wrong, unknown):
        compared.clear()
        door.principal(f"Bearer {shown}")
        # All fixed tokens, whichever fits first; then the digest of the secret, whether there is such a key or not.
        looked_up = [(64, 64)] if shown.startswith("nfk_") else []
        assert compared == [(len(shown), length) for length in of_fixed] + looked_up
