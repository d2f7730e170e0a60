"""What is said of an answer is kept beside it, replaced as a whole, and goes with it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.errors import UnknownPredictionError
from app.records.database import open_database
from app.records.feedback import BATCH, Feedback, FeedbackRecords
from app.records.predictions import KeptPrediction, PredictionRecords
from app.records.tables import FeedbackRow, PredictionRow

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
AGREED = Feedback("agree", None, None, NOW)
DISAGREED = Feedback("disagree", "seen otherwise", "gos_1", NOW)


@dataclass(frozen=True)
class Store:
    predictions: PredictionRecords
    feedback: FeedbackRecords

    def add(self, prediction_id: str, version: int = 1, document: str = "{}") -> None:
        self.predictions.add(prediction(prediction_id, version, document))


def prediction(prediction_id: str, version: int = 1, document: str = "{}") -> KeptPrediction:
    return KeptPrediction(
        prediction_id, NOW, "gos", version, f"{version:064d}", document, "gos", "gos_4", 0.7,
        abstained=False, out_of_distribution=False,
    )  # fmt: skip


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(PredictionRecords(engine), FeedbackRecords(engine))


def test_what_was_said_last_is_all_that_is_kept(store: Store) -> None:
    store.add("a")
    assert store.feedback.get("a") is None
    store.feedback.put("a", DISAGREED)
    store.feedback.put("a", AGREED)
    assert store.feedback.get("a") == AGREED


def test_what_was_said_can_be_taken_back(store: Store) -> None:
    store.add("a")
    for _ in range(2):
        store.feedback.put("a", DISAGREED)
        store.feedback.remove("a")
        store.feedback.remove("a")
        assert store.feedback.get("a") is None


def test_nothing_can_be_said_of_an_answer_that_is_not_kept(store: Store) -> None:
    with pytest.raises(UnknownPredictionError):
        store.feedback.put("absent", AGREED)


def test_many_say_something_of_one_answer_at_once(store: Store) -> None:
    store.add("a")
    said = [Feedback("agree", str(number), None, NOW) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: store.feedback.put("a", each), said))
    assert store.feedback.get("a") in said


def test_feedback_goes_with_its_answer(store: Store) -> None:
    store.add("a")
    store.feedback.put("a", DISAGREED)
    store.predictions.delete("a")
    assert store.feedback.get("a") is None
    with pytest.raises(UnknownPredictionError):
        store.predictions.get("a")


def test_an_answer_is_deleted_once(store: Store) -> None:
    store.add("a")
    store.predictions.delete("a")
    with pytest.raises(UnknownPredictionError):
        store.predictions.delete("a")


def test_nothing_of_what_was_deleted_stays_in_the_file_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    engine = open_database(path)
    store = Store(PredictionRecords(engine), FeedbackRecords(engine))
    store.add("a", document='{"planted": "ZZCANARY"}')
    store.feedback.put("a", Feedback(None, "ZZCANARY", None, NOW))
    engine.dispose()  # the last connection writes the log back into the file
    assert b"ZZCANARY" in path.read_bytes()
    store.predictions.delete("a")
    engine.dispose()
    assert list(tmp_path.iterdir()) == [path]
    assert b"ZZCANARY" not in path.read_bytes()


def test_everything_that_was_said_comes_in_order_whatever_the_batches(store: Store, engine: Engine) -> None:
    ids = [f"{number:04d}" for number in range(BATCH + 1)]
    with Session(engine) as session, session.begin():  # one commit, since each waits for the disk
        session.add_all(PredictionRow(**vars(prediction(each))) for each in reversed(ids))
        session.flush()
        session.add_all(FeedbackRow(prediction_id=each, **vars(AGREED)) for each in reversed(ids))
    store.add("9999")
    batches = list(store.feedback.batches())
    assert [len(batch) for batch in batches] == [BATCH, 1]
    assert [(kept.id, said) for batch in batches for kept, said in batch] == [(each, AGREED) for each in ids]


def test_the_latest_feedback_is_that_of_one_version_and_bounded(store: Store) -> None:
    for number in range(4):
        store.add(str(number), version=1 + number % 2)
        store.feedback.put(str(number), DISAGREED)
    store.add("silent")
    found = store.feedback.latest("gos", 1, 10)
    assert {kept.id: said for kept, said in found} == {"0": DISAGREED, "2": DISAGREED}
    assert len(store.feedback.latest("gos", 1, 1)) == 1


def test_every_package_that_was_judged_shows_one_answer(store: Store) -> None:
    for number, version in enumerate((2, 1, 2, 3)):
        store.add(str(number), version)
    for judged in ("0", "1", "2"):
        store.feedback.put(judged, AGREED)
    assert [kept.id for kept in store.feedback.one_of_each_package()] == ["1", "0"]
