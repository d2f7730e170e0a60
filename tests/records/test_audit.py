"""The audit trail is whole as long as nobody touched it, and says where somebody did."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, select, text, update
from sqlalchemy.orm import Session

from app.records import audit
from app.records.audit import AuditTrail, Deed, Verdict, digest_of
from app.records.database import open_database
from app.records.tables import AuditHeadRow, AuditRow
from tests.records.conftest import Place

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LINES = 12


def deed(number: int, **members: str) -> Deed:
    return Deed(
        subject=f"key:{number % 3}",
        kind="key",
        action="POST /predict",
        object_id=f"0193c2f4-6a00-7a31-9c2e-{number:012d}",
        model="gos@2 sha256:abc",
        request_id=f"r{number}",
        moment=MOMENT + timedelta(days=number),
        **members,
    )


@pytest.fixture
def trail(engine: Engine) -> AuditTrail:
    written = AuditTrail(engine)
    for number in range(1, LINES + 1):
        written.add(deed(number))
    return written


def changed(engine: Engine, statement: object) -> Verdict:
    with Session(engine) as session, session.begin():
        session.execute(statement)  # type: ignore[call-overload]
    return AuditTrail(engine).verify()


def test_lines_come_back_as_they_were_written_and_the_chain_is_whole(trail: AuditTrail) -> None:
    lines = list(trail.lines())
    assert [line.deed for line in lines] == [deed(number) for number in range(1, LINES + 1)]
    verdict = trail.verify()
    assert (verdict.lines, verdict.broken_at) == (LINES, None)
    assert (verdict.head.last, verdict.head.digest) == (LINES, lines[-1].digest)


def test_an_empty_trail_is_whole(engine: Engine) -> None:
    assert AuditTrail(engine).verify().broken_at is None


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "somebody else"},
        {"kind": "oidc"},
        {"action": "GET /predictions"},
        {"object_id": ""},
        {"model": "gos@3"},
        {"outcome": "not-allowed"},
        {"request_id": ""},
        {"moment": MOMENT},
        {"digest": "f" * 64},
    ],
    ids=lambda change: str(next(iter(change))),
)
def test_a_member_that_is_changed_is_found_in_its_line(
    trail: AuditTrail, engine: Engine, change: dict[str, object]
) -> None:
    assert trail.verify().broken_at is None
    assert changed(engine, update(AuditRow).where(AuditRow.number == 5).values(**change)).broken_at == 5


@pytest.mark.parametrize("number", [1, 7, LINES])
def test_a_line_that_is_removed_is_missed(trail: AuditTrail, engine: Engine, number: int) -> None:
    assert trail.verify().broken_at is None
    verdict = changed(engine, delete(AuditRow).where(AuditRow.number == number))
    assert (verdict.broken_at, "missing" in verdict.found) == (number, True)


def test_a_line_that_is_removed_and_the_rest_moved_up_is_missed(trail: AuditTrail, engine: Engine) -> None:
    changed(engine, delete(AuditRow).where(AuditRow.number == LINES))
    head = update(AuditHeadRow).values(last=LINES - 1)
    assert changed(engine, head).found == "the last line is not the one that was written last"
    assert trail.verify().broken_at == LINES - 1


def test_two_lines_that_changed_places_are_found(trail: AuditTrail, engine: Engine) -> None:
    assert trail.verify().broken_at is None
    with Session(engine) as session, session.begin():
        for old, new in ((4, 100), (9, 4), (100, 9)):
            session.execute(update(AuditRow).where(AuditRow.number == old).values(number=new))
    assert trail.verify().broken_at == 4


def test_a_line_that_is_forged_with_a_digest_that_fits_breaks_the_next(
    trail: AuditTrail, engine: Engine
) -> None:
    """Whoever knows how digests are made can forge a line, but must then rewrite all that follow, and the head."""
    lines = list(trail.lines())
    forged = replace(lines[2].deed, subject="somebody else")
    digest = digest_of(lines[1].digest, 3, forged)
    forging = update(AuditRow).where(AuditRow.number == 3).values(subject=forged.subject, digest=digest)
    assert changed(engine, forging).broken_at == 4


def test_a_digest_is_of_the_line_s_number_too() -> None:
    """Else all lines moved up together would be whole."""
    deed = Deed("key:1", "key", "POST /predict", moment=datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert digest_of("", 1, deed) != digest_of("", 2, deed)


def test_those_who_come_together_have_lines_of_their_own(place: Place) -> None:
    """Two processes' engines, several threads each."""
    engines = [open_database(place) for _ in range(2)]
    trails = [AuditTrail(engine) for engine in engines]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: trails[number % 2].add(deed(number)), range(120)))
    verdict = trails[0].verify()
    assert (verdict.lines, verdict.broken_at) == (120, None)
    assert {line.deed.request_id for line in trails[1].lines()} == {f"r{number}" for number in range(120)}
    for engine in engines:
        engine.dispose()


def test_what_is_over_its_time_goes_and_the_rest_can_still_be_verified(
    trail: AuditTrail, engine: Engine
) -> None:
    assert trail.forget_before(MOMENT + timedelta(days=5)) == 4
    lines = list(trail.lines())
    assert [line.number for line in lines] == [*range(5, LINES + 1), LINES + 1]
    assert (lines[-1].deed.action, lines[-1].deed.object_id) == ("audit forgotten", "lines before 5")
    assert trail.verify().broken_at is None
    assert trail.forget_before(MOMENT + timedelta(days=5)) == 0
    trail.add(deed(99))
    assert trail.verify().broken_at is None
    assert changed(engine, delete(AuditRow).where(AuditRow.number == 5)).broken_at == 5


def test_lines_that_go_by_their_time_while_they_are_verified_are_no_breach(
    trail: AuditTrail, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "READ_AT_ONCE", 2)
    swept: list[int] = []

    def sweep_meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "audit" in statement and "LIMIT" in statement and not swept:
            swept.append(0)
            swept[0] = trail.forget_before(MOMENT + timedelta(days=7))

    event.listen(engine, "after_cursor_execute", sweep_meanwhile)
    verdict = trail.verify()
    event.remove(engine, "after_cursor_execute", sweep_meanwhile)
    assert swept == [6]
    assert (verdict.broken_at, verdict.lines) == (None, LINES - 6 + 1)


def test_everything_may_be_over_its_time(trail: AuditTrail) -> None:
    assert trail.forget_before(MOMENT + timedelta(days=1000)) == LINES
    assert [line.deed.action for line in trail.lines()] == ["audit forgotten"]
    assert trail.verify().broken_at is None


def test_a_time_is_read_alone(trail: AuditTrail) -> None:
    some = trail.lines(MOMENT + timedelta(days=3), MOMENT + timedelta(days=5))
    assert [line.number for line in some] == [3, 4]


def test_what_cannot_be_written_is_said_to_whoever_did_it(trail: AuditTrail, engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda number: raised(lambda: trail.add(deed(number))), range(8)))
    assert all(outcomes)
    with Session(engine) as session, session.begin():
        session.execute(text("ALTER TABLE elsewhere RENAME TO audit"))
    trail.add(deed(50))
    verdict = trail.verify()
    assert (verdict.lines, verdict.broken_at) == (LINES + 1, None)
    with Session(engine) as session:
        assert session.scalars(select(AuditHeadRow.last)).one() == LINES + 1


def raised(call: Callable[[], None]) -> bool:
    try:
        call()
    except Exception:  # noqa: BLE001 - whatever the database says
        return True
    return False
