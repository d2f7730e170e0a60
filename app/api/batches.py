"""Batches: many cases for one package, each sent as a job; one status, one table of results, one webhook."""

from http import HTTPStatus
from typing import Annotated, Final, Self

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field, model_validator

from app import errors
from app.api.access import CurrentPrincipal
from app.api.auditing import note
from app.api.idempotency import IdempotencyKey
from app.api.job_schemas import BatchStatus, batch_status
from app.api.json_body import BoundedJson
from app.api.openapi import problem_responses
from app.api.preferences import PriorityName
from app.api.response_headers import LOCATION
from app.api.runtime import CurrentRuntime, Runtime
from app.api.table_answer import TableAnswer
from app.api.visibility import BatchId, caller_of
from app.inference.ticket import Urgency
from app.jobs.addresses import LONGEST
from app.jobs.batches import Asked
from app.jobs.request import fingerprint
from app.model_package.manifest import Manifest, Task
from app.predictions.document import Document
from app.records.audit import model_in_words
from app.records.batches import Batch
from app.serving.entry import require_ready

MOST_MODEL: Final = 160
UNKNOWN: Final = problem_responses(errors.UnknownBatchError)

router = APIRouter(prefix="/batches", tags=["jobs"], route_class=BoundedJson)


class BatchWish(Document):
    """What every case of a batch has in common."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"task": "gos"}]})

    task: Annotated[Task | None, Field(description="What is asked.")] = None
    model: Annotated[
        str | None,
        Field(
            max_length=MOST_MODEL, description="Instead of `task`: `name`, `name@version` or `name@alias`."
        ),
    ] = None
    priority: Annotated[PriorityName, Field(description="Whose turn comes first.")] = "batch"
    webhook: Annotated[
        str | None,
        Field(max_length=LONGEST, description="Address that is told when the batch is closed and finished."),
    ] = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.task is None) == (self.model is None):
            raise ValueError("expected exactly one of task and model")
        return self


@router.post(
    "",
    operation_id="make_batch",
    summary="Make a batch",
    status_code=HTTPStatus.CREATED,
    responses={
        **problem_responses(
            errors.MalformedRequestError,
            errors.UploadTooLargeError,
            errors.UnknownModelError,
            errors.NotReadyError,
            errors.WebhookRefusedError,
            errors.IdempotencyKeyReusedError,
        ),
        HTTPStatus.CREATED: {"headers": LOCATION},
    },
)
def make_batch(
    request: Request,
    runtime: CurrentRuntime,
    principal: CurrentPrincipal,
    wish: BatchWish,
    key: IdempotencyKey,
    response: Response,
) -> BatchStatus:
    """The package is settled now, for every case; cases come with `POST /predict`, `Prefer: respond-async` and the part `batch`."""
    asked = Asked(caller_of(principal), key, fingerprint({"batch": wish.model_dump_json()}, ()))
    # Before all else is judged: what was made once stays so, though its package has gone since.
    batch = runtime.jobs.batches.earlier(asked) or _made(wish, asked, runtime)
    note(request, batch.id, model_in_words(batch.model_name, batch.model_version))
    response.headers["Location"] = f"/batches/{batch.id}"
    return _status(batch, runtime)


def _made(wish: BatchWish, asked: Asked, runtime: Runtime) -> Batch:
    catalogue = runtime.catalogue
    entry = catalogue.entry(wish.model or "") if wish.task is None else catalogue.entry_for_task(wish.task)
    require_ready(entry)
    webhook = None if wish.webhook is None else runtime.jobs.addresses.judge(wish.webhook)
    urgency = Urgency[wish.priority.upper()]
    return runtime.jobs.batches.make(entry.reference, urgency, webhook, asked)


@router.get("/{batch_id}", operation_id="get_batch", summary="How far a batch is", responses=UNKNOWN)
def get_batch(runtime: CurrentRuntime, batch_id: BatchId) -> BatchStatus:
    """How many of its jobs are in each state."""
    return _status(runtime.jobs.batches.get(batch_id), runtime)


@router.post("/{batch_id}/close", operation_id="close_batch", summary="Close a batch", responses=UNKNOWN)
def close_batch(runtime: CurrentRuntime, batch_id: BatchId) -> BatchStatus:
    """It takes no more cases; once every job is finished, it is too, and its webhook is told."""
    batch = runtime.jobs.batches.close(batch_id)
    runtime.jobs.signals.message_came()
    return _status(batch, runtime)


@router.delete("/{batch_id}", operation_id="cancel_batch", summary="Cancel a batch", responses=UNKNOWN)
def cancel_batch(runtime: CurrentRuntime, batch_id: BatchId) -> BatchStatus:
    """It is closed and what is not finished is cancelled; the answers there are stay."""
    return _status(runtime.jobs.batches.cancel(batch_id), runtime)


@router.get(
    "/{batch_id}/results.csv",
    operation_id="get_batch_results",
    summary="What came of a batch, as a table",
    response_class=TableAnswer,
    responses=UNKNOWN,
)
def get_batch_results(runtime: CurrentRuntime, batch_id: BatchId) -> TableAnswer:
    """One row for each job that is done or failed, in the order of acceptance; the columns of `neurofuse predict --cohort`."""
    batch = runtime.jobs.batches.get(batch_id)
    lines = runtime.jobs.batches.table(batch, _manifest(batch, runtime))
    return TableAnswer(lines, headers={"Content-Disposition": 'attachment; filename="results.csv"'})


def _manifest(batch: Batch, runtime: Runtime) -> Manifest | None:
    try:
        return runtime.catalogue.entry(f"{batch.model_name}@{batch.model_version}").manifest
    except errors.UnknownModelError:
        return None  # it went out of the store


def _status(batch: Batch, runtime: Runtime) -> BatchStatus:
    jobs = runtime.jobs
    return batch_status(batch, jobs.batches.counts(batch.id), jobs.webhooks.find(batch.id))
