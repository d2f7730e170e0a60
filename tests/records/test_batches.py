"""A batch under a caller's own key is one batch, however often and however many at once ask for it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from app.records.batches import Batch, BatchRecords

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MADE = Batch("a", "gos", 1, 2, None, NOW, caller="key:a", idempotency_key="K", fingerprint="0" * 64)


def test_a_key_finds_the_batch_of_its_own_caller(engine: Engine) -> None:
    batches = BatchRecords(engine)
    assert batches.under_key("key:a", "K") is None
    assert batches.add(MADE) == batches.under_key("key:a", "K") == batches.get("a") == MADE
    assert batches.under_key("key:b", "K") is None
    other = replace(MADE, id="b", caller="key:b")
    assert batches.add(other) == other


def test_batches_without_a_key_are_as_many_as_were_made(engine: Engine) -> None:
    batches = BatchRecords(engine)
    made = [replace(MADE, id=name, idempotency_key=None) for name in "abc"]
    assert [batches.add(each) for each in made] == made
    assert batches.under_key("key:a", None) is None


def test_many_at_once_under_one_key_make_one(engine: Engine) -> None:
    batches = BatchRecords(engine)
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda name: batches.add(replace(MADE, id=name)), "abcdefghijkl"))
    assert len({each.id for each in made}) == 1
