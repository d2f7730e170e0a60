"""A key lets in whom it was made for, while it is good, and nothing that only looks like it does."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.records.store import RecordStore
from app.security.keys import FORM, Keys, make_key
from tests.support.records import tables_at

NOW = datetime.now(UTC)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    with closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as opened:
        yield opened


def test_a_key_says_who_shows_it(records: RecordStore) -> None:
    kept, key = make_key("PACS router", {"system"}, 1, NOW)
    records.api_keys.add(kept)
    principal = Keys(records.api_keys).principal(key)
    assert principal is not None
    assert (principal.subject, principal.kind) == (f"key:{kept.id}", "key")
    assert principal.roles == {"system"}
    assert principal.name == "PACS router"


def test_what_is_kept_of_a_key_does_not_open_anything() -> None:
    kept, key = make_key("of a test", {"ops"}, 1, NOW)
    secret = key.rpartition("_")[2]
    assert secret not in repr(kept)
    assert FORM.fullmatch(f"nfk_{kept.id}_{kept.digest}")  # of the right form, so it could be tried
    assert kept.digest != secret


def test_the_digest_is_no_key(records: RecordStore) -> None:
    kept, _ = make_key("of a test", {"ops"}, 1, NOW)
    records.api_keys.add(kept)
    assert Keys(records.api_keys).principal(f"nfk_{kept.id}_{kept.digest}") is None


def test_two_keys_are_never_the_same() -> None:
    made = [make_key("of a test", {"ops"}, 1, NOW)[1] for _ in range(1000)]
    assert len(set(made)) == len({key.split("_")[1] for key in made}) == len(made)


@pytest.mark.parametrize("days", [-1.0, 0.0])
def test_a_key_whose_time_is_over_is_not_good(records: RecordStore, days: float) -> None:
    kept, key = make_key("of a test", {"ops"}, days, NOW)
    records.api_keys.add(kept)
    assert Keys(records.api_keys).principal(key) is None


def test_a_revoked_key_is_not_good_and_keeps_the_moment(records: RecordStore) -> None:
    kept, key = make_key("of a test", {"ops"}, 1, NOW)
    records.api_keys.add(kept)
    keys = Keys(records.api_keys)
    assert keys.principal(key) is not None
    assert records.api_keys.revoke(kept.id, NOW)
    assert keys.principal(key) is None
    assert not records.api_keys.revoke(kept.id, NOW + timedelta(hours=1))
    assert (found := records.api_keys.find(kept.id)) is not None
    assert found.revoked == NOW


def test_its_use_is_noted_but_not_at_every_request(records: RecordStore) -> None:
    kept, key = make_key("of a test", {"ops"}, 1, NOW)
    records.api_keys.add(kept)
    keys = Keys(records.api_keys)
    keys.principal(key)
    first = records.api_keys.find(kept.id)
    keys.principal(key)
    assert first is not None
    assert first.last_used is not None
    assert records.api_keys.find(kept.id) == first
