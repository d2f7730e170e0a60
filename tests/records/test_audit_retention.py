"""Lines of the audit trail over their time go, looked for once an hour; the others stay."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from app.records.audit import AuditTrail, Deed
from app.records.audit_retention import FORGET_EVERY_S, AuditRetention

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY_S = 24 * 3600.0


def add(trail: AuditTrail, *days: int) -> None:
    for age in days:
        trail.add(Deed("a", "key", "GET /jobs", moment=NOW - timedelta(days=age)))


def test_lines_are_looked_through_once_an_hour_by_the_time_that_passes(engine: Engine) -> None:
    # At first the clock is a year ahead, of a trail that has nothing so old.
    trail, clock_s, passed_s = AuditTrail(engine), [NOW.timestamp() + 365 * DAY_S], [0.0]
    forgetting = AuditRetention(trail, 400 * DAY_S, lambda: clock_s[0], lambda: passed_s[0])
    assert forgetting.sweep() == 0
    add(trail, 500, 401, 399)
    clock_s[0] = NOW.timestamp()
    passed_s[0] += FORGET_EVERY_S - 1
    assert forgetting.sweep() == 0
    passed_s[0] += 1
    assert forgetting.sweep() == 2
    # Beside the line that stays lies one that says what was removed.
    assert len(list(trail.lines())) == 2


def test_without_a_time_lines_stay_for_ever(engine: Engine) -> None:
    trail = AuditTrail(engine)
    add(trail, 50_000)
    assert AuditRetention(trail, float("inf"), NOW.timestamp, lambda: 0.0).sweep() == 0
    assert len(list(trail.lines())) == 1
