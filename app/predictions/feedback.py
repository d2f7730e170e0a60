"""What clinicians say of answers, and how it later turned out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from app.errors import FeedbackInvalidError
from app.predictions.document import Document
from app.predictions.feedback_csv import feedback_csv
from app.predictions.service import PredictionService
from app.records.feedback import Agreement, Feedback, FeedbackRecords

MOST_REASON: Final = 1000
MOST_LABEL: Final = 64
WRITTEN: Final = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F]*$"
"""Text that a person can write: no control characters but tab and line breaks."""

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MOST_REASON, pattern=WRITTEN),
    AfterValidator(lambda reason: reason or None),
]


class GivenFeedback(Document):
    """What is said of an answer, as a whole: what is absent or null is taken back."""

    agreement: Annotated[Agreement | None, Field(description="With the answer.")] = None
    reason: Annotated[Reason | None, Field(description="In the clinician's own words.")] = None
    outcome: Annotated[
        Annotated[str, StringConstraints(max_length=MOST_LABEL)] | None,
        Field(description="Label of the true class, once it is known: one of the classes of the answer."),
    ] = None


class KeptFeedback(Document):
    """What was said of an answer; all null while nothing was."""

    agreement: Annotated[Agreement | None, Field(description="With the answer.")]
    reason: Annotated[str | None, Field(description="In the clinician's own words.")]
    outcome: Annotated[str | None, Field(description="Label of the true class.")]
    updated: Annotated[datetime | None, Field(description="When it was last changed, UTC.")]


NOTHING: Final = KeptFeedback(agreement=None, reason=None, outcome=None, updated=None)


class FeedbackService:
    """Keeps and gives back feedback.

    Args:
        predictions: Finds the answers.
        records: Where feedback is kept.
    """

    def __init__(self, predictions: PredictionService, records: FeedbackRecords) -> None:
        self._predictions = predictions
        self._records = records

    def get(self, prediction_id: str) -> KeptFeedback:
        """What was said of an answer.

        Raises:
            UnknownPredictionError: No answer has this id.
        """
        self._predictions.find(prediction_id)
        said = self._records.get(prediction_id)
        return NOTHING if said is None else KeptFeedback.model_validate(vars(said))

    def put(self, prediction_id: str, given: GivenFeedback) -> KeptFeedback:
        """Keep feedback in place of what was said before; nothing at all takes it back.

        Raises:
            UnknownPredictionError: No answer has this id.
            FeedbackInvalidError: The outcome is not a class of the package that answered.
        """
        labels = list(self._predictions.find(prediction_id).prediction.probabilities)
        if given.outcome is not None and given.outcome not in labels:
            raise FeedbackInvalidError(
                "Expected `outcome` to be a class of the package that answered, or null; it is another. See `known`.",
                known=labels,
            )
        if given == GivenFeedback():
            self._records.remove(prediction_id)
            return NOTHING
        said = Feedback(**vars(given), updated=datetime.now(UTC).replace(microsecond=0))
        self._records.put(prediction_id, said)
        return KeptFeedback.model_validate(vars(said))

    def table(self) -> Iterator[str]:
        """All of it as CSV, piece by piece."""
        return feedback_csv(self._records)
