"""Sessions, and who asked for what, are kept on both databases."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from app.records.predictions import KeptPrediction, PredictionRecords
from app.records.sessions import SessionRecords, SignedIn
from app.records.worklist import Page, Selection, Worklist

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def session(number: int, subject: str = "oidc:1", idle: timedelta = timedelta(0)) -> SignedIn:
    begun = NOW - number * HOUR
    return SignedIn(f"{number:064x}", subject, "Żaneta 神経", "clinician ops", begun, NOW - idle)


def test_a_session_comes_back_as_it_was_kept_and_goes_when_it_should(engine: Engine) -> None:
    records = SessionRecords(engine)
    for each in (session(1), session(2, "oidc:2"), session(3), session(11), session(4, idle=HOUR)):
        records.add(each)
    assert records.find(session(1).digest) == session(1)
    assert [each.digest for each in records.all()] == [session(number).digest for number in (1, 2, 3, 4, 11)]
    records.saw(session(1).digest, NOW + HOUR)
    assert records.all()[0].seen == NOW + HOUR
    assert records.delete_before(created=NOW - 10 * HOUR, seen=NOW - HOUR / 2) == 2
    assert records.delete_of("oidc:2") == 1
    records.delete(session(3).digest)
    records.delete(session(3).digest)
    assert [each.digest for each in records.all()] == [session(1).digest]


def test_the_worklist_is_that_of_one_caller_where_it_should_be(engine: Engine) -> None:
    predictions, worklist = PredictionRecords(engine), Worklist(engine)
    for number, caller in enumerate(("key:a", "key:b", "", "key:a")):
        predictions.add(
            KeptPrediction(
                f"{number:036d}", NOW, "gos", 1, "a" * 64, "{}", "gos", "gos_4", 0.7,
                abstained=False, out_of_distribution=False, caller=caller,
            )
        )  # fmt: skip
    entries, total = worklist.page(Selection(caller="key:a"), Page(9))
    assert ({entry.prediction.id[-1] for entry in entries}, total) == ({"0", "3"}, 2)
    assert worklist.page(Selection(), Page(9))[1] == 4
    assert [predictions.caller(f"{number:036d}") for number in (1, 2, 9)] == ["key:b", "", None]
