"""Ten thousand bad tokens and keys let no one in; how long a refusal takes tells nothing."""

import random
import statistics
import string
import time
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

BAD_ONES = 10_000
ADMIN = "of-a-test-" + "0123456789abcdef" * 2
METRICS = "of-prometheus-" + "0123456789abcdef" * 2


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[ApiKeyRecords]:
    with closing(RecordStore(tmp_path / "records.sqlite3")) as records:
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


def test_how_long_a_comparison_takes_does_not_tell_how_much_was_right(keys: ApiKeyRecords) -> None:
    # So long that a comparison which stops at the first difference would be hundreds of times faster for one of the two.
    secret = "s" * 2_000_000
    door = authenticator(keys, admin_token=secret)
    wrong_at = {"the first letter": "x" + secret[1:], "the last letter": secret[:-1] + "x"}
    taken: dict[str, list[float]] = {name: [] for name in wrong_at}
    for _ in range(25):
        for name, shown in wrong_at.items():
            began = time.perf_counter()
            assert door.principal(f"Bearer {shown}") is None
            taken[name].append(time.perf_counter() - began)
    first, last = (statistics.median(each) for each in taken.values())
    assert 0.5 < first / last < 2
