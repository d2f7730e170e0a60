"""Keys are kept on both databases, as they were made."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from app.records.api_keys import ApiKeyRecords, KeptKey

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def key(number: int) -> KeptKey:
    created = NOW + timedelta(minutes=number)
    return KeptKey(
        f"{number:016x}", f"key {number}", ("ops", "system"), "a" * 64, created, created + timedelta(days=1)
    )


def test_a_key_comes_back_as_it_was_kept(engine: Engine) -> None:
    records = ApiKeyRecords(engine)
    records.add(key(1))
    assert records.find(key(1).id) == key(1)
    assert records.find(key(2).id) is None


def test_keys_are_listed_from_the_oldest_on(engine: Engine) -> None:
    records = ApiKeyRecords(engine)
    for number in (2, 1, 3):
        records.add(key(number))
    assert records.all() == [key(1), key(2), key(3)]


def test_one_key_is_revoked_or_used_and_no_other(engine: Engine) -> None:
    records = ApiKeyRecords(engine)
    records.add(key(1))
    records.add(key(2))
    assert not records.revoke(key(3).id, NOW)
    assert records.revoke(key(1).id, NOW)
    records.used(key(1).id, NOW)
    assert (found := records.find(key(1).id)) is not None
    assert (found.revoked, found.last_used) == (NOW, NOW)
    assert records.find(key(2).id) == key(2)


def test_a_key_is_good_until_it_ends() -> None:
    assert key(1).is_good(key(1).expires - timedelta(seconds=1))
    assert not key(1).is_good(key(1).expires)


def test_the_first_end_is_of_keys_in_use(engine: Engine) -> None:
    records = ApiKeyRecords(engine)
    assert records.first_end(NOW) is None
    for number in range(1, 6):
        records.add(key(number))
    # The first was never used, the second not for long, the third is revoked.
    for number, when in ((2, NOW - timedelta(days=1)), (3, NOW), (4, NOW), (5, NOW)):
        records.used(key(number).id, when)
    records.revoke(key(3).id, NOW)
    assert records.first_end(NOW) == key(4).expires
    assert records.first_end(NOW - timedelta(days=1)) == key(2).expires
