"""Jobs: cases that were accepted with `Prefer: respond-async`; how far they are, and no more of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from app import errors
from app.api.access import CurrentPrincipal
from app.api.job_schemas import JobList, JobStatus, job_status
from app.api.list_query import ListQuery, once_each
from app.api.openapi import problem_responses
from app.api.runtime import CurrentRuntime
from app.api.visibility import JobId, id_of, only_of
from app.records.jobs import JobSelection, JobState

router = APIRouter(prefix="/jobs", tags=["jobs"])

MOST_ITEMS = 200
MOST_OFFSET = 2**31
ID_LENGTH = 36


class JobQuery(ListQuery):
    """Which jobs are wanted, and which part of them."""

    state: Annotated[JobState | None, Field(description="Only these.")] = None
    batch: Annotated[str | None, Field(max_length=ID_LENGTH, description="Only those of this batch.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS, description="Most items.")] = 25
    offset: Annotated[int, Field(ge=0, le=MOST_OFFSET, description="Jobs before the first item.")] = 0


@router.get(
    "",
    operation_id="list_jobs",
    summary="Jobs",
    responses=problem_responses(errors.MalformedRequestError),
    dependencies=[Depends(once_each)],
)
def list_jobs(
    runtime: CurrentRuntime, principal: CurrentPrincipal, query: Annotated[JobQuery, Query()]
) -> JobList:
    """One page, the latest first; a system sees its own."""
    batch = None if query.batch is None else id_of(query.batch)
    wanted = JobSelection(query.state, batch, only_of(principal))
    jobs, total = runtime.jobs.records.page(wanted, query.limit, query.offset)
    webhooks = runtime.jobs.webhooks.of(job.id for job in jobs if job.webhook_url)
    items = [job_status(job, webhooks.get(job.id)) for job in jobs]
    return JobList(items=items, total=total, limit=query.limit, offset=query.offset)


@router.get(
    "/{job_id}",
    operation_id="get_job",
    summary="How far a job is",
    responses=problem_responses(errors.UnknownJobError),
)
def get_job(runtime: CurrentRuntime, job_id: JobId) -> JobStatus:
    """Always the status, also of a job that is done; `GET /predictions/{id}` is the answer."""
    return job_status(runtime.jobs.records.get(job_id), runtime.jobs.webhooks.find(job_id))


@router.delete(
    "/{job_id}",
    operation_id="cancel_job",
    summary="Cancel a job",
    responses=problem_responses(errors.UnknownJobError, errors.JobFinishedError),
)
def cancel_job(runtime: CurrentRuntime, job_id: JobId) -> JobStatus:
    """One that waits is cancelled at once; one that is worked on is `cancelling`, and ends before the network runs, or has run."""
    return job_status(runtime.jobs.service.cancel(job_id), runtime.jobs.webhooks.find(job_id))
