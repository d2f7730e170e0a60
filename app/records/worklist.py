"""Find kept answers: filtered, sorted and counted in SQL, one page at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Engine, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.records.feedback import Feedback
from app.records.predictions import KeptPrediction
from app.records.tables import FeedbackRow, PredictionRow, kept_as

FeedbackState = Literal["none", "any", "agree", "disagree"]
SortKey = Literal["created", "reference", "task", "model", "label", "favourable"]

_COLUMNS: Final[dict[SortKey, tuple[InstrumentedAttribute[Any], ...]]] = {
    "created": (PredictionRow.created,),
    "reference": (PredictionRow.reference,),
    "task": (PredictionRow.task,),
    "model": (PredictionRow.model_name, PredictionRow.model_version),
    "label": (PredictionRow.label,),
    "favourable": (PredictionRow.favourable,),
}
_NULLABLE: Final = frozenset({"reference", "favourable"})


@dataclass(frozen=True)
class Selection:
    """Which answers are wanted; what is None or empty does not narrow.

    Attributes:
        text: Beginning of the id, or any part of the reference; the case of ASCII letters does not matter.
        task: What was asked.
        model_name: Package that answered.
        model_version: Its version.
        label: The most likely class.
        feedback: What a clinician said: `none` yet, `any`, `agree` or `disagree`.
        since: The first moment of the answers.
        until: The moment before which they were made.
        caller: Who asked for them.
    """

    text: str = ""
    task: str | None = None
    model_name: str | None = None
    model_version: int | None = None
    label: str | None = None
    feedback: FeedbackState | None = None
    since: datetime | None = None
    until: datetime | None = None
    caller: str | None = None


@dataclass(frozen=True)
class Page:
    """A part of a sorted list.

    Attributes:
        limit: Most entries.
        offset: Entries before the first.
        key: What the list is sorted by; equals are in the order of time, and what has no value comes last.
        descending: From the last to the first.
    """

    limit: int
    offset: int = 0
    key: SortKey = "created"
    descending: bool = True


@dataclass(frozen=True)
class Entry:
    """One answer of the list.

    Attributes:
        prediction: The answer.
        feedback: What was said of it; None while nothing was.
    """

    prediction: KeptPrediction
    feedback: Feedback | None


class Worklist:
    """The list of kept answers.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, selection: Selection, page: Page) -> tuple[list[Entry], int]:
        """One page of the answers that are wanted.

        Returns:
            The entries of the page, and how many answers are wanted in all.
        """
        order = _order(page)
        # Two steps: the inner one is answered by the index alone, and documents are read for one page only.
        wanted = _narrowed(select(PredictionRow.id), selection)
        on_page = wanted.order_by(*order).limit(page.limit).offset(page.offset)
        rows = (
            select(PredictionRow, FeedbackRow)
            .outerjoin(FeedbackRow)
            .where(PredictionRow.id.in_(on_page))
            .order_by(*order)
        )
        count = _narrowed(select(func.count(PredictionRow.id)), selection)
        with Session(self._engine) as session:
            entries = [_entry(*row) for row in session.execute(rows)]
            return entries, session.scalars(count).one()


def _entry(row: PredictionRow, said: FeedbackRow | None) -> Entry:
    return Entry(kept_as(KeptPrediction, row), None if said is None else kept_as(Feedback, said))


def _narrowed(query: Select[Any], selection: Selection) -> Select[Any]:
    narrowed = query.where(*_conditions(selection))
    if selection.feedback is None:
        return narrowed
    # Only then: SQLite takes a join that changes nothing as a reason to leave the index.
    return narrowed.outerjoin(FeedbackRow).where(_said(selection.feedback))


def _conditions(selection: Selection) -> list[ColumnElement[bool]]:
    row = PredictionRow
    equal: dict[InstrumentedAttribute[Any], object] = {
        row.task: selection.task,
        row.model_name: selection.model_name,
        row.model_version: selection.model_version,
        row.label: selection.label,
        row.caller: selection.caller,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in equal.items() if value is not None
    ]
    if selection.text:
        # A client's own % and _ are letters, not wildcards.
        conditions.append(
            or_(
                row.id.istartswith(selection.text, autoescape=True),
                row.reference.icontains(selection.text, autoescape=True),
            )
        )
    if selection.since is not None:
        conditions.append(row.created >= selection.since)
    if selection.until is not None:
        conditions.append(row.created < selection.until)
    return conditions


def _said(feedback: FeedbackState) -> ColumnElement[bool]:
    if feedback == "none":
        return FeedbackRow.prediction_id.is_(None)
    if feedback == "any":
        return FeedbackRow.prediction_id.is_not(None)
    return FeedbackRow.agreement == feedback


def _order(page: Page) -> list[ColumnElement[Any]]:
    columns = [*_COLUMNS[page.key], PredictionRow.created, PredictionRow.id]
    ordered = [column.desc() if page.descending else column.asc() for column in columns]
    if page.key in _NULLABLE:
        ordered[0] = ordered[0].nulls_last()
    return list(ordered)
