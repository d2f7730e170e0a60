"""What can be asked of an answer while its case is kept: another record, a curve, the image, the record."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from app import errors
from app.api.answers import PREFIX
from app.api.departure import departure
from app.api.file_answer import FileAnswer, file_responses
from app.api.json_body import BoundedJson
from app.api.openapi import problem_responses
from app.api.predictions import NIFTI_MEDIA_TYPE
from app.api.preferences import CurrentTicket
from app.api.runtime import CurrentRuntime
from app.api.visibility import PredictionId
from app.data_folder.case_store import IMAGE_NAME
from app.predictions.case import ExplainChoice
from app.predictions.document import Document
from app.predictions.what_if_answer import Curve, RecordSent, WhatIf

MOST_POINTS: Final = 101

router = APIRouter(prefix=PREFIX, tags=["kept cases"], route_class=BoundedJson)

FOUND: Final = (errors.UnknownPredictionError, errors.AnswerUnreadableError, errors.CaseExpiredError)
ASKED: Final = problem_responses(
    *FOUND,
    errors.MalformedRequestError,
    errors.UploadTooLargeError,
    errors.EhrInvalidError,
    errors.EhrInsufficientError,
    errors.UnknownModelError,
    errors.NotReadyError,
    errors.OverloadedError,
    errors.DeadlinePassedError,
)
Record = Annotated[
    dict[str, Any],
    Field(
        description="Feature to value, as the part `ehr` of `POST /predict`; an absent feature is missing.",
        examples=[{"age": 71, "sex": "female"}],
    ),
]


class WhatIfQuestion(Document):
    """Another record for a kept case."""

    ehr: Record
    explain: Annotated[
        ExplainChoice, Field(description="`ehr`: the answer says what each feature contributes.")
    ] = "none"


class CurveQuestion(Document):
    """A feature to follow."""

    ehr: Record
    feature: Annotated[
        str,
        Field(description="Name of the feature; what `ehr` says of it does not matter.", examples=["age"]),
    ]
    points: Annotated[
        int,
        Field(
            ge=2,
            le=MOST_POINTS,
            description="Values over the plausible range; a whole number has no more than there are, a category one each.",
        ),
    ] = 21


@router.post(
    "/{prediction_id}/what-if",
    operation_id="ask_what_if",
    summary="The same image with another record",
    responses=ASKED,
)
async def ask_what_if(
    request: Request,
    runtime: CurrentRuntime,
    ticket: CurrentTicket,
    prediction_id: PredictionId,
    question: WhatIfQuestion,
) -> WhatIf:
    """The kept tensor is asked again, so nothing is sent or read anew; with the record that was sent, it gives the answer."""
    with runtime.admission.place(ticket.urgency):
        return await runtime.admission.work(
            lambda waited_s: runtime.kept_cases.what_if(
                prediction_id, question.ehr, question.explain, waited_s
            ),
            partial(departure, request),
            ticket,
        )


@router.post(
    "/{prediction_id}/curve",
    operation_id="draw_curve",
    summary="The expectation over one feature of the record",
    responses=ASKED,
)
async def draw_curve(
    request: Request,
    runtime: CurrentRuntime,
    ticket: CurrentTicket,
    prediction_id: PredictionId,
    question: CurveQuestion,
) -> Curve:
    """Every value of one feature with the same image and all else of the record equal."""
    with runtime.admission.place(ticket.urgency):
        return await runtime.admission.work(
            lambda waited_s: runtime.kept_cases.curve(
                prediction_id, question.ehr, question.feature, question.points, waited_s
            ),
            partial(departure, request),
            ticket,
        )


def _image(runtime: CurrentRuntime, prediction_id: PredictionId) -> Iterator[Path]:
    """The file, held until the response is sent."""
    with runtime.kept_cases.image(prediction_id) as path:
        yield path


@router.head(f"/{{prediction_id}}/{IMAGE_NAME}", include_in_schema=False)
@router.get(
    f"/{{prediction_id}}/{IMAGE_NAME}",
    operation_id="get_image",
    summary="The image of a case, for viewing",
    response_class=FileAnswer,
    responses=problem_responses(*FOUND) | file_responses(NIFTI_MEDIA_TYPE),
)
def get_image(path: Annotated[Path, Depends(_image)]) -> FileAnswer:
    """HU or raw intensity on the patient's own grid, that of a native heatmap; only where `keep=image` was asked."""
    return FileAnswer(path, media_type=NIFTI_MEDIA_TYPE, filename=IMAGE_NAME)


@router.get(
    "/{prediction_id}/record",
    operation_id="get_record",
    summary="The record of a case, as it was sent",
    responses=problem_responses(*FOUND),
)
def get_record(runtime: CurrentRuntime, prediction_id: PredictionId) -> RecordSent:
    """What the part `ehr` held, with its own units."""
    return runtime.kept_cases.record(prediction_id)
