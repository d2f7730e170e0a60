"""Tables of the record store; `migrations/` builds them, a test keeps the two equal."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

UUID_LENGTH = 36
SHA256_LENGTH = 64
REFERENCE_LENGTH = 64


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Aware to naive UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Naive UTC to aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Metadata of every table."""


class PredictionRow(Base):
    """One answer that was given.

    Attributes:
        id: UUID version 7, so rows lie in order of time.
        created: When the answer was made.
        model_name: Package that answered.
        model_version: Its version.
        model_sha256: Its digest: what produced this result stays provable.
        document: The answer as JSON text, byte for byte as it was given.
        reference: The caller's own case number.
        task: From the document, as all that follow: what the worklist filters and sorts by.
        label: The most likely class.
        favourable: Probability of a favourable outcome; null where the task has none.
        abstained: Whether the model did not commit itself.
        out_of_distribution: Whether the case was flagged.
    """

    __tablename__ = "predictions"
    # Every column of the worklist: to filter, sort and count, no document is read.
    __table_args__ = (
        Index(
            "ix_predictions_worklist",
            "created",
            "id",
            "reference",
            "model_name",
            "model_version",
            "task",
            "label",
            "favourable",
            "abstained",
            "out_of_distribution",
        ),
    )

    id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime())
    model_name: Mapped[str] = mapped_column(Text())
    model_version: Mapped[int]
    model_sha256: Mapped[str] = mapped_column(String(SHA256_LENGTH))
    document: Mapped[str] = mapped_column(Text())
    reference: Mapped[str | None] = mapped_column(String(REFERENCE_LENGTH))
    task: Mapped[str] = mapped_column(Text())
    label: Mapped[str] = mapped_column(Text())
    favourable: Mapped[float | None]
    abstained: Mapped[bool]
    out_of_distribution: Mapped[bool]


class FeedbackRow(Base):
    """What a clinician said of an answer; it goes when the answer goes.

    Attributes:
        prediction_id: The answer.
        agreement: `agree` or `disagree`.
        reason: In the clinician's words; may say anything of a patient.
        outcome: The true class, once it is known.
        updated: When it was last changed.
    """

    __tablename__ = "feedback"

    prediction_id: Mapped[str] = mapped_column(
        String(UUID_LENGTH), ForeignKey(PredictionRow.id, ondelete="CASCADE"), primary_key=True
    )
    agreement: Mapped[str | None] = mapped_column(Text())
    reason: Mapped[str | None] = mapped_column(Text())
    outcome: Mapped[str | None] = mapped_column(Text())
    updated: Mapped[datetime] = mapped_column(UtcDateTime())
