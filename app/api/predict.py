"""`POST /predict`: an image and a record in, an explained answer out."""

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from fastapi import APIRouter, Request

from app import errors
from app.api.case_form import case_of, chosen, upload_limits
from app.api.form_receiver import Form
from app.api.openapi import IMAGE_PROBLEMS, problem_responses
from app.api.predictions import with_links
from app.api.preferences import CurrentTicket
from app.api.runtime import CurrentRuntime, Runtime
from app.api.uploads import receive_form, upload_folder
from app.predictions.answer import Answer
from app.predictions.catalogue import require_ready
from app.predictions.data_folder import DataFolder
from app.predictions.upload_store import KeptUpload

router = APIRouter(tags=["predictions"])

PROBLEMS: Final = problem_responses(
    *IMAGE_PROBLEMS,
    errors.MalformedRequestError,
    errors.UploadTooLargeError,
    errors.EhrInvalidError,
    errors.EhrInsufficientError,
    errors.UnknownModelError,
    errors.UnknownUploadError,
    errors.NotReadyError,
    errors.OverloadedError,
    errors.DeadlinePassedError,
)


@router.post(
    "/predict",
    operation_id="predict",
    summary="Predict an outcome from an image and a record",
    responses=PROBLEMS,
)
async def predict(request: Request, runtime: CurrentRuntime, ticket: CurrentTicket) -> Answer:
    """The same case gives the same answer, whatever the order and the names of its files.

    Only `id`, `created`, the heatmap's links and `timing_ms` differ from one request to the next.
    """
    settings = runtime.settings
    with runtime.admission.place(ticket.urgency):
        async with upload_folder(DataFolder(settings.data).uploads) as folder:
            form = await receive_form(request, folder, upload_limits(settings))
            predictor = require_ready(chosen(form, runtime.catalogue, request.state.request_id))
            with _named_upload(form, runtime) as upload:
                case = case_of(form, upload)
                answer = await runtime.admission.work(
                    lambda waited_s: runtime.predictions.predict(case, predictor, waited_s),
                    request.is_disconnected,
                    ticket,
                )
    return with_links(answer)


def _named_upload(form: Form, runtime: Runtime) -> AbstractContextManager[KeptUpload | None]:
    """The kept upload that the form names, held while the case is worked on."""
    upload_id = form.fields.get("upload")
    return nullcontext() if upload_id is None else runtime.uploads.using(upload_id)
