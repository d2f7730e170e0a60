"""What a client gets for a case: the answer with its links, the status of its job, or the problem that it met."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse

from app.api.job_schemas import job_status, stored_problem
from app.api.problems import problem_response
from app.api.runtime import Runtime
from app.errors import JobCancelledError
from app.predictions.answer import Answer, HeatmapFiles
from app.records.jobs import OPEN, Job

PREFIX: Final = "/predictions"
LONGEST_PAUSE_S: Final = 30
"""Until a client that polls is asked to come back, at most."""


def with_links(answer: Answer) -> Answer:
    """The answer as a client gets it: the names of the heatmap files become paths on this service."""
    if answer.heatmap is None:
        return answer
    folder = f"{PREFIX}/{answer.id}"
    links = HeatmapFiles(nifti=f"{folder}/{answer.heatmap.nifti}", png=f"{folder}/{answer.heatmap.png}")
    return answer.model_copy(update={"heatmap": links})


def accepted(job: Job, runtime: Runtime, **headers: str) -> JSONResponse:
    """202: where the answer will be, and how far it is."""
    return JSONResponse(
        job_status(job, runtime.jobs.webhooks.find(job.id)).model_dump(mode="json"),
        HTTPStatus.ACCEPTED,
        headers={
            "Location": f"{PREFIX}/{job.id}",
            "Retry-After": str(pause_s(job)),
            **headers,
        },
    )


def outcome(job: Job, request: Request, runtime: Runtime) -> Answer | JSONResponse:
    """The answer of a job, or the problem that it met, with the status of that problem.

    Raises:
        JobCancelledError: It was cancelled.
        UnknownPredictionError: The answer is no longer kept.
    """
    if job.state == "cancelled":
        raise JobCancelledError(
            "Expected a job with an answer; this one was cancelled. Send the case again, with another Idempotency-Key where it had one."
        )
    if job.state == "failed":
        return problem_response(request, *stored_problem(job))
    return with_links(runtime.predictions.find(job.id))


def pause_s(job: Job) -> int:
    """When to ask again: soon for a young job, later for one that has waited long; of one that has ended there is nothing to wait for."""
    if job.state not in OPEN:
        return 1
    age_s = (datetime.now(UTC) - job.created).total_seconds()
    return max(1, min(LONGEST_PAUSE_S, int(age_s / 4)))
