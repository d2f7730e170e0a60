"""Answers survive the process that gave them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event
from sqlalchemy.engine.interfaces import CacheStats
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from app.errors import UnknownPredictionError
from app.records.audit import AuditTrail, Deed
from app.records.database import open_database
from app.records.predictions import KeptPrediction, PredictionRecords
from app.records.store import RecordStore
from app.records.tables import AuditHeadRow
from tests.records.conftest import Place


@pytest.fixture
def records(engine: Engine) -> PredictionRecords:
    return PredictionRecords(engine)


def kept(prediction_id: str = "a", created: datetime | None = None) -> KeptPrediction:
    moment = created or datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
    return KeptPrediction(
        prediction_id, moment, "gos", 3, "0" * 64, '{"ä": 1}', "gos", "gos_4", 0.71, abstained=False,
        out_of_distribution=True, reference="K-17",
    )  # fmt: skip


def test_an_answer_comes_back_as_it_was_kept(records: PredictionRecords) -> None:
    records.add(kept())
    assert records.get("a") == kept()


def test_an_answer_is_kept_together_with_its_line_or_not_at_all(place: Place) -> None:
    engine = open_database(place)
    records, trail = PredictionRecords(engine), AuditTrail(engine)
    records.add(kept(), Deed("key:1", "key", "POST /predict", "a"))
    assert [line.deed.object_id for line in trail.lines()] == ["a"]
    assert trail.verify().broken_at is None
    with Session(engine) as session, session.begin():
        session.execute(delete(AuditHeadRow))  # a trail that cannot be written
    with pytest.raises(NoResultFound):
        records.add(kept("b"), Deed("key:1", "key", "POST /predict", "b"))
    with pytest.raises(UnknownPredictionError):
        records.get("b")
    engine.dispose()


def test_a_rehearsal_leaves_nothing_and_has_every_statement_put_together(place: Place) -> None:
    engine = open_database(place)
    records, trail = PredictionRecords(engine), AuditTrail(engine)
    before = trail.head()
    records.rehearse(kept(), Deed("service", "service", "rehearsal"))
    assert trail.head() == before
    with pytest.raises(UnknownPredictionError):
        records.get("a")

    hits: list[CacheStats] = []

    def look(_connection: Any, _cursor: Any, _sql: str, _values: Any, context: Any, _many: bool) -> None:
        hits.append(context.cache_hit)

    event.listen(engine, "after_cursor_execute", look)
    records.add(kept(), Deed("key:1", "key", "POST /predict", "a"))
    assert hits == [CacheStats.CACHE_HIT] * 4  # the answer; the trail's end locked, its line, its new end
    engine.dispose()


def test_an_answer_survives_reopening(place: Place) -> None:
    with closing(RecordStore(place)) as first:
        first.predictions.add(kept())
    with closing(RecordStore(place)) as second:
        assert second.predictions.get("a") == kept()


def test_a_moment_in_another_zone_is_the_same_moment_in_utc(records: PredictionRecords) -> None:
    moment = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    records.add(kept(created=moment))
    assert records.get("a").created == moment
    assert records.get("a").created.utcoffset() == timedelta(0)


def test_an_unknown_id_is_named_as_such(records: PredictionRecords) -> None:
    with pytest.raises(UnknownPredictionError):
        records.get("absent")


def test_many_threads_write_at_once(records: PredictionRecords) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(records.add, [kept(str(number)) for number in range(40)]))
    assert {records.get(str(number)).id for number in range(40)} == {str(number) for number in range(40)}


def test_answers_made_before_a_moment_come_the_oldest_first_and_no_more_than_asked(
    records: PredictionRecords,
) -> None:
    start = datetime(2026, 11, 23, 10, tzinfo=UTC)
    for minute in (3, 1, 2, 0):
        records.add(kept(str(minute), start + timedelta(minutes=minute)))
    assert records.made_before(start + timedelta(minutes=3), 10) == ["0", "1", "2"]
    assert records.made_before(start + timedelta(minutes=3), 2) == ["0", "1"]
    assert records.made_before(start, 10) == []


def test_the_latest_answers_of_a_package_come_the_newest_first_and_no_others(
    records: PredictionRecords,
) -> None:
    start = datetime(2026, 11, 23, 10, tzinfo=UTC)
    for minute in (2, 0, 1):
        records.add(kept(str(minute), start + timedelta(minutes=minute)))
    records.add(replace(kept("other version", start + timedelta(hours=1)), model_version=4))
    records.add(replace(kept("other name", start + timedelta(hours=1)), model_name="ad"))
    assert records.latest("gos", 3, 10) == ["2", "1", "0"]
    assert records.latest("gos", 3, 2) == ["2", "1"]


def test_documents_come_by_their_ids_without_those_that_are_gone(records: PredictionRecords) -> None:
    records.add(kept("a"))
    records.add(replace(kept("b"), document="{}"))
    assert records.documents(["b", "gone", "a"]) == {"a": '{"ä": 1}', "b": "{}"}
    assert records.documents([]) == {}
