"""Keep and find what clinicians say of answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.records.predictions import KeptPrediction, unknown_prediction
from app.records.tables import FeedbackRow, PredictionRow, kept_as

Agreement = Literal["agree", "disagree"]

BATCH: Final = 200
INSERT: Final[dict[str, Callable[..., sqlite.Insert | postgresql.Insert]]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
"""SQL has no word for this that both know; the two dialects take the same clauses."""


@dataclass(frozen=True)
class Feedback:
    """What was said of one answer.

    Attributes:
        agreement: With the answer; None where nothing was said.
        reason: In the clinician's words, which may say anything of a patient: never logged.
        outcome: Label of the true class, once it is known.
        updated: When it was said, with its time zone.
    """

    agreement: Agreement | None
    reason: str | None
    outcome: str | None
    updated: datetime


class FeedbackRecords:
    """The table of feedback.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, prediction_id: str, feedback: Feedback) -> None:
        """Keep feedback in place of what was said before.

        Raises:
            UnknownPredictionError: No answer with this id is kept.
        """
        said = vars(feedback)
        put = INSERT[self._engine.dialect.name](FeedbackRow).values(prediction_id=prediction_id, **said)
        put = put.on_conflict_do_update(index_elements=[FeedbackRow.prediction_id], set_=said)
        try:
            with Session(self._engine) as session, session.begin():
                session.execute(put)
        except IntegrityError:  # the foreign key: there is no such answer
            raise unknown_prediction() from None

    def get(self, prediction_id: str) -> Feedback | None:
        """What was said of an answer, or None."""
        with Session(self._engine) as session:
            row = session.get(FeedbackRow, prediction_id)
            return None if row is None else kept_as(Feedback, row)

    def remove(self, prediction_id: str) -> None:
        """Take back what was said; nothing happens where nothing was."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(FeedbackRow).where(FeedbackRow.prediction_id == prediction_id))

    def one_of_each_package(self) -> list[KeptPrediction]:
        """The first answer with feedback of every package, by name and version: it shows the package's classes."""
        first = select(func.min(PredictionRow.id)).join(FeedbackRow).group_by(PredictionRow.model_sha256)
        query = (
            select(PredictionRow)
            .where(PredictionRow.id.in_(first))
            .order_by(PredictionRow.model_name, PredictionRow.model_version, PredictionRow.id)
        )
        with Session(self._engine) as session:
            return [kept_as(KeptPrediction, row) for row in session.scalars(query)]

    def latest(
        self, model_name: str, model_version: int, limit: int
    ) -> list[tuple[KeptPrediction, Feedback]]:
        """The latest answers of a package of which something was said."""
        mine = (PredictionRow.model_name == model_name) & (PredictionRow.model_version == model_version)
        query = select(PredictionRow, FeedbackRow).join(FeedbackRow).where(mine)
        with Session(self._engine) as session:
            found = session.execute(query.order_by(PredictionRow.created.desc()).limit(limit))
            return [(kept_as(KeptPrediction, row), kept_as(Feedback, said)) for row, said in found]

    def batches(self) -> Iterator[list[tuple[KeptPrediction, Feedback]]]:
        """Every answer with feedback, in the order of their ids, which is that of time.

        Every batch is a query of its own: a slow reader keeps no connection and no snapshot of the database.
        """
        last = ""
        while batch := self._batch(last):
            yield batch
            last = batch[-1][0].id

    def _batch(self, after: str) -> list[tuple[KeptPrediction, Feedback]]:
        query = (
            select(PredictionRow, FeedbackRow)
            .join(FeedbackRow)
            .where(FeedbackRow.prediction_id > after)
            .order_by(FeedbackRow.prediction_id)
            .limit(BATCH)
        )
        with Session(self._engine) as session:
            return [
                (kept_as(KeptPrediction, row), kept_as(Feedback, said))
                for row, said in session.execute(query)
            ]
