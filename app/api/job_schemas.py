"""The status of jobs and batches on the wire: how far they are, never what they say of a patient."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from app.api.preferences import PriorityName
from app.api.problems import TYPE_PREFIX, kind_of
from app.inference.ticket import Urgency
from app.predictions.document import Document
from app.records.batches import Batch
from app.records.job_problem import StoredProblem
from app.records.jobs import OPEN, Job, JobState
from app.records.webhooks import Webhook, WebhookState

PRIORITIES: Final[dict[int, PriorityName]] = {
    Urgency.STAT: "stat",
    Urgency.ROUTINE: "routine",
    Urgency.BATCH: "batch",
}


class JobProblem(BaseModel):
    """Why a job failed: the problem document that `GET /predictions/{id}` answers with."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: Annotated[str, Field(description="`/problems/<code>`; fetch it for an explanation.")]
    title: Annotated[str, Field(description="The same for every occurrence of the code.")]
    status: Annotated[int, Field(description="HTTP status.")]
    detail: Annotated[str, Field(description="What was expected, what was found, what to do.")]


class WebhookStatus(Document):
    """How far the message is that says it is finished."""

    state: Annotated[
        WebhookState,
        Field(description="`waiting` also while the end itself is waited for; `failed`: given up."),
    ]
    attempts: Annotated[int, Field(description="How often it was sent.")]


class JobLinks(Document):
    """Where to go on."""

    self: Annotated[str, Field(description="This status.")]
    prediction: Annotated[
        str, Field(description="The answer, once the job is done; until then, this status.")
    ]


class JobStatus(Document):
    """How far a job is."""

    id: Annotated[str, Field(description="Of the job, and of its answer.")]
    state: Annotated[JobState, Field(description="`done`, `failed` and `cancelled` are final.")]
    cancelling: Annotated[
        bool, Field(description="It was cancelled while it was worked on, and will be dropped.")
    ]
    priority: Annotated[PriorityName, Field(description="Whose turn comes first.")]
    model: Annotated[str, Field(description="`name@version`, settled when the job was accepted.")]
    reference: Annotated[str | None, Field(description="The caller's own case number.")]
    batch: Annotated[str | None, Field(description="The batch it belongs to.")]
    attempts: Annotated[int, Field(description="How often it was begun.")]
    created: Annotated[datetime, Field(description="When it was accepted.")]
    started: Annotated[datetime | None, Field(description="When it was last begun.")]
    finished: Annotated[datetime | None, Field(description="When it reached its last state.")]
    problem: Annotated[JobProblem | None, Field(description="Present where it failed.")]
    webhook: Annotated[WebhookStatus | None, Field(description="Present where somebody is to be told.")]
    links: JobLinks


class JobList(Document):
    """A page of jobs, the latest first."""

    items: list[JobStatus]
    total: Annotated[int, Field(description="Jobs that match.")]
    limit: Annotated[int, Field(description="Most items.")]
    offset: Annotated[int, Field(description="Jobs before the first item.")]


class BatchLinks(Document):
    """Where to go on."""

    self: Annotated[str, Field(description="This status.")]
    jobs: Annotated[str, Field(description="Its jobs.")]
    results: Annotated[str, Field(description="What came of them, as a table.")]


class BatchStatus(Document):
    """How far a batch is."""

    id: Annotated[str, Field(description="The part `batch` of `POST /predict`.")]
    model: Annotated[str, Field(description="`name@version`, settled when the batch was made.")]
    priority: Annotated[PriorityName, Field(description="Of its jobs.")]
    created: Annotated[datetime, Field(description="When it was made.")]
    closed: Annotated[datetime | None, Field(description="When it was closed; until then it takes cases.")]
    jobs: Annotated[dict[JobState, int], Field(description="How many are in each state.")]
    finished: Annotated[bool, Field(description="Closed, and no job waits or runs.")]
    webhook: Annotated[WebhookStatus | None, Field(description="Present where somebody is to be told.")]
    links: BatchLinks


def job_status(job: Job, webhook: Webhook | None) -> JobStatus:
    """A job as a client sees it."""
    return JobStatus(
        id=job.id,
        state=job.state,
        cancelling=job.cancelling and job.state in OPEN,
        priority=PRIORITIES[job.priority],
        model=f"{job.model_name}@{job.model_version}",
        reference=job.reference,
        batch=job.batch_id,
        attempts=job.attempt,
        created=job.created,
        started=job.started,
        finished=job.finished,
        problem=None if job.problem is None else _problem(job.problem),
        webhook=_webhook(job.webhook_url, webhook),
        links=JobLinks(self=f"/jobs/{job.id}", prediction=f"/predictions/{job.id}"),
    )


def batch_status(batch: Batch, counts: Mapping[JobState, int], webhook: Webhook | None) -> BatchStatus:
    """A batch as a client sees it."""
    return BatchStatus(
        id=batch.id,
        model=f"{batch.model_name}@{batch.model_version}",
        priority=PRIORITIES[batch.priority],
        created=batch.created,
        closed=batch.closed,
        jobs=dict(counts),
        finished=batch.closed is not None and not any(counts[state] for state in OPEN),
        webhook=_webhook(batch.webhook_url, webhook),
        links=BatchLinks(
            self=f"/batches/{batch.id}",
            jobs=f"/jobs?batch={batch.id}",
            results=f"/batches/{batch.id}/results.csv",
        ),
    )


def _problem(problem: StoredProblem) -> JobProblem:
    kind = kind_of(problem)
    return JobProblem(
        type=TYPE_PREFIX + kind.code,
        title=kind.title,
        status=int(kind.status),
        detail=problem.detail,
        **problem.fields,
    )


def _webhook(url: str | None, webhook: Webhook | None) -> WebhookStatus | None:
    if url is None:
        return None
    return WebhookStatus(
        state=webhook.state if webhook else "waiting", attempts=webhook.attempt if webhook else 0
    )
