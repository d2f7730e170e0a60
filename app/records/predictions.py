"""Keep and find the answers that were given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.orm import Session

from app.errors import UnknownPredictionError
from app.records.audit import Deed, append
from app.records.jobs import OPEN
from app.records.parts import in_parts
from app.records.tables import Base, JobRow, PredictionRow, WebhookRow, kept_as

_ADD: Final = insert(Base.metadata.tables[PredictionRow.__tablename__])
"""Every case waits for this: made once, and of the table, since an object of the ORM takes half as long again to keep."""


@dataclass(frozen=True)
class KeptPrediction:
    """One answer as it is kept.

    Attributes:
        id: UUID version 7, 36 characters.
        created: When the answer was made, with its time zone.
        model_name: Package that answered.
        model_version: Its version.
        model_sha256: Its digest.
        document: The answer as JSON text.
        task: What was asked.
        label: The most likely class.
        favourable: Probability of a favourable outcome; None where the task has none.
        abstained: Whether the model did not commit itself.
        out_of_distribution: Whether the case was flagged.
        reference: The caller's own case number, at most 64 characters.
        caller: Who asked; empty where that is not known.
    """

    id: str
    created: datetime
    model_name: str
    model_version: int
    model_sha256: str
    document: str
    task: str
    label: str
    favourable: float | None
    abstained: bool
    out_of_distribution: bool
    reference: str | None = None
    caller: str = ""


class PredictionRecords:
    """The table of predictions.

    Args:
        engine: From `app.records.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, prediction: KeptPrediction, deed: Deed | None = None) -> None:
        """Keep an answer, durably, before it is given.

        Args:
            prediction: The answer.
            deed: What the audit trail says of it: there is no answer without its line, and one wait for the disk for both.
        """
        with self._engine.begin() as connection:
            _write(connection, prediction, deed)

    def rehearse(self, prediction: KeptPrediction, deed: Deed) -> None:
        """Do what `add` does and take it back: statements are put together once, and no first patient waits for that.

        Args:
            prediction: An answer that nobody asked for.
            deed: Its line.
        """
        with self._engine.connect() as connection:
            _write(connection, prediction, deed)
            connection.rollback()

    def get(self, prediction_id: str) -> KeptPrediction:
        """Find an answer.

        Raises:
            UnknownPredictionError: No answer with this id is kept.
        """
        with Session(self._engine) as session:
            row = session.get(PredictionRow, prediction_id)
            if row is None:
                raise unknown_prediction()
            return kept_as(KeptPrediction, row)

    def caller(self, prediction_id: str) -> str | None:
        """Who asked for an answer; None where none has this id."""
        with Session(self._engine) as session:
            return session.scalars(
                select(PredictionRow.caller).where(PredictionRow.id == prediction_id)
            ).first()

    def delete(self, prediction_id: str) -> None:
        """Remove an answer, what was said of it, and the job that it came from, if it came from one, with the message on its end.

        Raises:
            UnknownPredictionError: No answer with this id is kept.
        """
        with Session(self._engine) as session, session.begin():
            # The table of feedback follows by its foreign key.
            gone = delete(PredictionRow).where(PredictionRow.id == prediction_id).returning(PredictionRow.id)
            if session.scalars(gone).first() is None:
                raise unknown_prediction()
            session.execute(delete(JobRow).where(JobRow.id == prediction_id))
            session.execute(delete(WebhookRow).where(WebhookRow.id == prediction_id))

    def made_before(self, moment: datetime, limit: int) -> list[str]:
        """The ids of at most `limit` answers that were made before a moment, the oldest first."""
        old = select(PredictionRow.id).where(PredictionRow.created < moment)
        with Session(self._engine) as session:
            return list(session.scalars(old.order_by(PredictionRow.created).limit(limit)))

    def latest(self, model_name: str, model_version: int, limit: int) -> list[str]:
        """The ids of at most `limit` answers of a package, the newest first; the worklist's index answers this alone."""
        mine = (PredictionRow.model_name == model_name) & (PredictionRow.model_version == model_version)
        query = select(PredictionRow.id).where(mine).order_by(PredictionRow.created.desc()).limit(limit)
        with Session(self._engine) as session:
            return list(session.scalars(query))

    def documents(self, ids: Sequence[str]) -> dict[str, str]:
        """The documents of answers by their ids; what was deleted meanwhile is left out."""
        query = select(PredictionRow.id, PredictionRow.document).where(PredictionRow.id.in_(ids))
        with Session(self._engine) as session:
            return {row.id: row.document for row in session.execute(query)}

    def recorded(self, ids: Iterable[str]) -> set[str]:
        """Those of these ids that belong to an answer, or to a job that may become one."""
        found: set[str] = set()
        with Session(self._engine) as session:
            for part in in_parts(ids):
                answers = select(PredictionRow.id).where(PredictionRow.id.in_(part))
                jobs = select(JobRow.id).where(JobRow.id.in_(part), JobRow.state.in_(OPEN))
                found.update(session.scalars(answers.union_all(jobs)))
        return found


def _write(connection: Connection, prediction: KeptPrediction, deed: Deed | None) -> None:
    connection.execute(_ADD, vars(prediction))
    if deed is not None:
        append(connection, [deed])


def unknown_prediction() -> UnknownPredictionError:
    """The error that says so."""
    return UnknownPredictionError(
        "Expected the id of a kept prediction; none has this one. Use the `id` of an answer."
    )
