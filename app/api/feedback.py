"""What clinicians say of answers, and the export of it."""

from fastapi import APIRouter

from app.api.answers import PREFIX
from app.api.json_body import BoundedJson
from app.api.openapi import problem_responses
from app.api.runtime import CurrentRuntime
from app.api.table_answer import TableAnswer
from app.api.visibility import PredictionId
from app.errors import (
    AnswerUnreadableError,
    FeedbackInvalidError,
    MalformedRequestError,
    UnknownPredictionError,
    UploadTooLargeError,
)
from app.predictions.feedback import GivenFeedback, KeptFeedback

router = APIRouter(tags=["feedback"], route_class=BoundedJson)

PATH = f"{PREFIX}/{{prediction_id}}/feedback"


@router.get(
    PATH,
    operation_id="get_feedback",
    summary="What was said of an answer",
    responses=problem_responses(UnknownPredictionError, AnswerUnreadableError),
)
def get_feedback(runtime: CurrentRuntime, prediction_id: PredictionId) -> KeptFeedback:
    """All null while nothing was said."""
    return runtime.feedback.get(prediction_id)


@router.put(
    PATH,
    operation_id="put_feedback",
    summary="Say something of an answer",
    responses=problem_responses(
        UnknownPredictionError,
        AnswerUnreadableError,
        MalformedRequestError,
        UploadTooLargeError,
        FeedbackInvalidError,
    ),
)
def put_feedback(runtime: CurrentRuntime, prediction_id: PredictionId, given: GivenFeedback) -> KeptFeedback:
    """Replaces what was said before, as a whole; `{}` takes it back."""
    return runtime.feedback.put(prediction_id, given)


@router.get(
    "/feedback.csv",
    operation_id="export_feedback",
    summary="All feedback as a table",
    response_class=TableAnswer,
    responses=problem_responses(),
)
def export_feedback(runtime: CurrentRuntime) -> TableAnswer:
    """RFC 4180 in UTF-8 with a header; one row for every answer with feedback, in order of time.

    Text that a spreadsheet would take for a formula (its first character is `=`, `+`, `-`, `@`, a tab or a carriage
    return) has an apostrophe in front.
    """
    headers = {"Content-Disposition": 'attachment; filename="feedback.csv"'}
    return TableAnswer(runtime.feedback.table(), headers=headers)
