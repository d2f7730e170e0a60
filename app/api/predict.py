"""`POST /predict`: an image and a record in, an explained answer out."""

from functools import partial
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app import errors
from app.api.accepting import accept, named_upload, refuse_job_parts
from app.api.answers import answer_of, with_links
from app.api.auditing import answered, note, set_written
from app.api.case_form import case_of, chosen, upload_limits
from app.api.departure import departure
from app.api.form_receiver import Form
from app.api.job_schemas import JobStatus
from app.api.openapi import IMAGE_PROBLEMS, problem_responses
from app.api.preferences import CurrentWishes
from app.api.response_headers import LOCATION, PREFERENCE_APPLIED, RETRY_AFTER
from app.api.runtime import CurrentRuntime, Runtime
from app.api.uploads import receive_form, upload_folder
from app.api.visibility import caller_of
from app.inference.ticket import Ticket
from app.predictions.answer import Answer
from app.records.audit import model_in_words
from app.records.predictions import KeptPrediction
from app.serving.entry import require_ready
from app.tracing import span

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
    errors.WebhookRefusedError,
    errors.UnknownBatchError,
    errors.BatchClosedError,
    errors.IdempotencyKeyInUseError,
    errors.IdempotencyKeyReusedError,
    errors.JobCancelledError,
    errors.JobInterruptedError,
    errors.AnswerUnreadableError,
)


ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.ACCEPTED: {
        "model": JobStatus,
        "description": "Accepted, with `Prefer: respond-async`; `Location` is where the answer will be.",
        "headers": LOCATION | RETRY_AFTER | PREFERENCE_APPLIED,
    }
}


@router.post(
    "/predict",
    operation_id="predict",
    summary="Predict an outcome from an image and a record",
    response_model=Answer,
    responses=PROBLEMS | ACCEPTED,
)
async def predict(request: Request, runtime: CurrentRuntime, wishes: CurrentWishes) -> Answer | JSONResponse:
    """The same case gives the same answer, whatever the order and the names of its files.

    Only `id`, `created`, the heatmap's links and `timing_ms` differ from one request to the next.
    """
    settings = runtime.settings
    with runtime.admission.place(wishes.ticket.urgency, wants_turn=not wishes.is_job) as place:
        async with upload_folder(runtime.scratch) as folder:
            with span("upload"), place.uploading():
                form = await receive_form(request, folder, upload_limits(settings))
            if not wishes.is_job:
                return with_links(await _answer(form, wishes.ticket, request, runtime))
            job, is_new = await accept(form, wishes, request, runtime)
            note(request, job.id, model_in_words(job.model_name, job.model_version))
    # The job has no place: it waits in the database.
    return await answer_of(job, is_new, wishes, request, runtime)


async def _answer(form: Form, ticket: Ticket, request: Request, runtime: Runtime) -> Answer:
    refuse_job_parts(form)
    predictor = require_ready(chosen(form, runtime.catalogue, request.state.request_id))
    with named_upload(form, request, runtime) as upload:
        case = case_of(form, upload, caller_of(request.state.principal))

        def keep(answer: KeptPrediction) -> None:
            runtime.predictions.keep(answer, answered(request, answer))
            set_written(request)

        return await runtime.admission.work(
            lambda waited_s: runtime.predictions.predict(case, predictor, waited_s, keep),
            partial(departure, request),
            ticket,
        )
