"""The audit trail: who did what, to which prediction, when, with which package. Lines are added and never changed.

Each line holds a digest of its own content and of the line before it, so that one that is changed, removed, added or put elsewhere breaks the
chain from there on. `audit_head` holds the last digest: a line cut off the end is missed too. Whoever may write to the database could make a new
chain: the head's digest, kept elsewhere from time to time, shows that (docs/how-to/audit.md).
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.records.tables import AuditHeadRow, AuditRow, Base, kept_as

READ_AT_ONCE: Final = 1000

# Every case waits for these: made once, and of tables, since ORM statements, which look for objects that they change,
# take three times as long.
_LINES: Final = Base.metadata.tables[AuditRow.__tablename__]
_HEAD: Final = Base.metadata.tables[AuditHeadRow.__tablename__]
_ADD: Final = insert(_LINES)
_LOCK: Final = (
    update(_HEAD)
    .values(last=_HEAD.c.last)
    .returning(*(_HEAD.c[each] for each in ("first", "base", "last", "digest")))
)
_MOVE: Final = update(_HEAD).values(last=bindparam("new_last"), digest=bindparam("new_digest"))


@dataclass(frozen=True)
class Deed:
    """What somebody did. Nothing here is a patient's: identifiers are ours, and names of people stay with whoever gave them a credential.

    Attributes:
        moment: When it was done.
        subject: Who did it, as `app.security.principal.Principal`; empty where that was not known.
        kind: How that was found out.
        action: What was done: method and template of the route, or the name of a deed of the service itself.
        object_id: The prediction, job, batch, package or alias that it was done to; empty for none.
        model: Package, version and digest that answered, `name@version sha256:...`, or what an alias means from then on; empty for none.
        outcome: `ok`, or the code of the problem.
        request_id: Finds the log lines of the same request.
    """

    subject: str
    kind: str
    action: str
    object_id: str = ""
    model: str = ""
    outcome: str = "ok"
    request_id: str = ""
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Line:
    """One line of the trail.

    Attributes:
        number: Counts from 1 without a gap.
        deed: What was done.
        digest: Of the deed, the number, and the digest of the line before.
    """

    number: int
    deed: Deed
    digest: str


@dataclass(frozen=True)
class Head:
    """Where the trail begins and ends.

    Attributes:
        first: Number of the first line that is kept; those before it were over their time.
        base: Digest of the line before that one.
        last: Number of the last line, 0 where there is none.
        digest: Its digest.
    """

    first: int
    base: str
    last: int
    digest: str


@dataclass(frozen=True)
class Verdict:
    """Whether the trail is whole.

    Attributes:
        lines: Lines that were read.
        head: Where the trail should begin and end.
        broken_at: Number of the first line that is not as it was written; None where all are.
        found: What is wrong there, in words.
    """

    lines: int
    head: Head
    broken_at: int | None = None
    found: str = ""


@dataclass(eq=False)
class _Waiting:
    deed: Deed
    is_written: bool = False
    error: Exception | None = None


class AuditTrail:
    """The trail in the database.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Whoever holds the second may take the first, never the reverse.
        self._entering, self._writing = threading.Lock(), threading.Lock()
        self._waiting: list[_Waiting] = []

    def add(self, deed: Deed) -> None:
        """Write a line; when this returns, a power cut does not lose it. Those who come together share a transaction."""
        mine = _Waiting(deed)
        with self._entering:
            self._waiting.append(mine)
        with self._writing:
            if not mine.is_written and mine.error is None:
                with self._entering:
                    together, self._waiting = self._waiting, []
                self._write_all(together)
        if mine.error is not None:
            raise mine.error

    def _write_all(self, together: Sequence[_Waiting]) -> None:
        try:
            with self._engine.begin() as connection:
                append(connection, [each.deed for each in together])
        except Exception as error:  # noqa: BLE001 - raised in every thread that waits
            for each in together:
                each.error = error
        else:
            for each in together:
                each.is_written = True

    def head(self) -> Head:
        """Where the trail begins and ends."""
        with Session(self._engine) as session:
            return _head(session)

    def lines(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Line]:
        """The lines of a time, in their order, a part at a time."""
        wanted = [
            *([] if since is None else [AuditRow.moment >= since]),
            *([] if until is None else [AuditRow.moment < until]),
        ]
        after = 0
        while True:
            query = select(AuditRow).where(AuditRow.number > after, *wanted).order_by(AuditRow.number)
            with Session(self._engine) as session:
                part = [_line(row) for row in session.scalars(query.limit(READ_AT_ONCE))]
            if not part:
                return
            yield from part
            after = part[-1].number

    def holds(self, digest: str) -> bool:
        """Whether some line, or the beginning, has this digest: whoever kept it elsewhere knows that nothing before it was made anew."""
        with Session(self._engine) as session:
            found = session.scalars(select(AuditRow.number).where(AuditRow.digest == digest)).first()
            return found is not None or _head(session).base == digest

    def verify(self) -> Verdict:
        """Read every line and find the first that is not as it was written."""
        while True:
            verdict = self._verified()
            # Lines over their time may have been removed while they were read: that is no breach, and read anew.
            if verdict.broken_at is None or self.head().first == verdict.head.first:
                return verdict

    def _verified(self) -> Verdict:
        head = self.head()
        previous, expected, read = head.base, head.first, 0
        for line in self.lines():
            if line.number > head.last:
                break  # written since
            if line.number != expected:
                return Verdict(read, head, expected, "the line is missing")
            if line.digest != digest_of(previous, line.number, line.deed):
                return Verdict(read, head, line.number, "the line, or its place, was changed")
            previous, expected, read = line.digest, expected + 1, read + 1
        if expected != head.last + 1:
            return Verdict(read, head, expected, "the line is missing, and all after it")
        if previous != head.digest:
            return Verdict(read, head, head.last, "the last line is not the one that was written last")
        return Verdict(read, head)

    def forget_before(self, moment: datetime) -> int:
        """Remove the lines that were over their time from the beginning, and say so in a line. The number of lines."""
        with Session(self._engine) as session, session.begin():
            head = _locked(session)
            kept = select(func.min(AuditRow.number)).where(AuditRow.moment >= moment)
            first = session.scalars(kept).one() or head.last + 1
            if first <= head.first:
                return 0
            base = session.scalars(select(AuditRow.digest).where(AuditRow.number == first - 1)).one()
            session.execute(delete(AuditRow).where(AuditRow.number < first))
            session.execute(update(AuditHeadRow).values(first=first, base=base))
            append(session, [Deed("service", "service", "audit forgotten", f"lines before {first}")])
            return first - head.first


def digest_of(previous: str, number: int, deed: Deed) -> str:
    """SHA-256 of a line: of the digest before it, its number, and every member of the deed as JSON text."""
    members = [value.isoformat() if isinstance(value, datetime) else value for value in astuple(deed)]
    text = json.dumps([previous, number, *members], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def model_in_words(name: str, version: int, sha256: str = "") -> str:
    """A package as lines of the trail name it, with its digest where it has answered."""
    return f"{name}@{version} sha256:{sha256}" if sha256 else f"{name}@{version}"


def append(transaction: Session | Connection, deeds: Sequence[Deed]) -> None:
    """Write lines in a transaction of somebody else's: they are there exactly when what they speak of is.

    Call it last: from here on the end of the trail is locked, and everybody else's lines wait for this transaction.
    """
    head = _locked(transaction)
    number, previous, rows = head.last, head.digest, []
    for deed in deeds:
        number += 1
        previous = digest_of(previous, number, deed)
        rows.append({"number": number, "digest": previous, **vars(deed)})
    transaction.execute(_ADD, rows)
    transaction.execute(_MOVE, {"new_last": number, "new_digest": previous})


def _locked(transaction: Session | Connection) -> Head:
    """The head, which nobody else changes before this transaction ends: an update comes first, as SQLite's write lock does."""
    return Head(*transaction.execute(_LOCK).one())


def _head(session: Session) -> Head:
    row = session.scalars(select(AuditHeadRow)).one()
    return Head(row.first, row.base, row.last, row.digest)


def _line(row: AuditRow) -> Line:
    return Line(row.number, kept_as(Deed, row), row.digest)
