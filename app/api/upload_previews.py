"""`/uploads`: an image is sent once, looked at, then answered."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from app import errors
from app.api.auditing import note
from app.api.case_form import chosen, named_series, sent_images, upload_limits
from app.api.departure import departure
from app.api.file_answer import FileAnswer, file_responses
from app.api.openapi import IMAGE_PROBLEMS, problem_responses
from app.api.preferences import CurrentTicket
from app.api.response_headers import LOCATION
from app.api.runtime import CurrentRuntime
from app.api.uploads import receive_form, upload_folder
from app.api.visibility import UploadId, caller_of
from app.data_folder.upload_store import OVERVIEW_NAME
from app.predictions.preview import Preview
from app.serving.entry import require_ready

PREFIX: Final = "/uploads"
PREVIEW_PARTS: Final = frozenset({"task", "model", "series"})

router = APIRouter(prefix=PREFIX, tags=["uploads"])

UNKNOWN = problem_responses(errors.UnknownUploadError)


@router.post(
    "",
    operation_id="preview_upload",
    summary="What is recognised in an image, before a prediction",
    status_code=201,
    responses={
        **problem_responses(
            *IMAGE_PROBLEMS,
            errors.MalformedRequestError,
            errors.UploadTooLargeError,
            errors.UnknownModelError,
            errors.NotReadyError,
            errors.OverloadedError,
            errors.DeadlinePassedError,
        ),
        201: {"headers": LOCATION},
    },
)
async def preview_upload(
    request: Request, response: Response, runtime: CurrentRuntime, ticket: CurrentTicket
) -> Preview:
    """The image is read as `POST /predict` would and kept for half an hour, so that it travels once.

    A refused image gets the problem that `POST /predict` would answer, and nothing of it is kept.
    """
    settings = runtime.settings
    with runtime.admission.place(ticket.urgency) as place:
        async with upload_folder(runtime.scratch) as folder:
            with place.uploading():
                form = await receive_form(request, folder, upload_limits(settings, PREVIEW_PARTS))
            spec = require_ready(chosen(form, runtime.catalogue)).package.manifest.image
            images, series = sent_images(form), named_series(form)
            caller = caller_of(request.state.principal)
            preview = await runtime.admission.work(
                lambda _waited_s: runtime.previewer.preview(images, spec, series, caller),
                partial(departure, request),
                ticket,
            )
    note(request, preview.id, "")
    # RFC 9110, section 10.2.2: what can be asked of the new resource, whose own address takes DELETE alone.
    response.headers["Location"] = f"{PREFIX}/{preview.id}/{OVERVIEW_NAME}"
    return preview


def _overview(runtime: CurrentRuntime, upload_id: UploadId) -> Iterator[Path]:
    """The file, held until the response is sent."""
    with runtime.uploads.overview(upload_id) as path:
        yield path


@router.head(f"/{{upload_id}}/{OVERVIEW_NAME}", include_in_schema=False)
@router.get(
    f"/{{upload_id}}/{OVERVIEW_NAME}",
    operation_id="get_upload_overview",
    summary="A picture of what was read, with the model's box",
    response_class=FileAnswer,
    responses=UNKNOWN | file_responses("image/png"),
)
def get_upload_overview(path: Annotated[Path, Depends(_overview)]) -> FileAnswer:
    """Three planes through the head and axial slices, in radiological convention."""
    return FileAnswer(path, media_type="image/png")


@router.delete(
    "/{upload_id}",
    operation_id="delete_upload",
    summary="Remove an upload before its time",
    status_code=204,
    response_class=Response,
    responses=UNKNOWN,
)
def delete_upload(runtime: CurrentRuntime, upload_id: UploadId) -> None:
    """Its files and its picture are removed; answers that were given from it stay."""
    runtime.uploads.delete(upload_id)
