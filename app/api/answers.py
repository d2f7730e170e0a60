"""What a client gets for a case: the answer with its links, the status of its job, or the problem that it met."""

import time
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Final

import anyio
import anyio.to_thread
from fastapi import Request
from fastapi.responses import JSONResponse

from app.api.job_schemas import job_status
from app.api.preferences import RESPOND_ASYNC, Wishes
from app.api.problems import kind_of, problem_response
from app.api.runtime import Runtime
from app.errors import DeadlinePassedError, IdempotencyKeyInUseError, JobCancelledError
from app.inference.ticket import AbandonedError
from app.predictions.answer import Answer, HeatmapFiles
from app.records.jobs import OPEN, Job

PREFIX: Final = "/predictions"
APPLIED: Final = {"Preference-Applied": RESPOND_ASYNC}
LOOK_EVERY_S: Final = 1.0
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
    if (problem := job.problem) is not None:
        return problem_response(request, kind_of(problem), problem.detail, problem.fields)
    return with_links(runtime.predictions.find(job.id))


async def answer_of(
    job: Job, is_new: bool, wishes: Wishes, request: Request, runtime: Runtime
) -> Answer | JSONResponse:
    """What a request is answered whose case was accepted as a job.

    Raises:
        IdempotencyKeyInUseError: The first request of this key is still being answered.
        AbandonedError: The client has gone; the job goes on.
        DeadlinePassedError: The time that the request allows is over; the job goes on.
    """
    if not wishes.later and not is_new and job.state in OPEN:
        raise IdempotencyKeyInUseError(
            "Expected the first request with this Idempotency-Key to be finished; it is not. Come back later.",
            retry_after_s=pause_s(job),
        )
    if wishes.later and wishes.ticket.deadline_s is None:
        return await _accepted(job, runtime)
    job = await _end_of(job, wishes, request, runtime)
    if job.state in OPEN:
        return await _accepted(job, runtime)
    return await anyio.to_thread.run_sync(outcome, job, request, runtime)


async def _accepted(job: Job, runtime: Runtime) -> JSONResponse:
    return await anyio.to_thread.run_sync(partial(accepted, job, runtime, **APPLIED))


async def _end_of(job: Job, wishes: Wishes, request: Request, runtime: Runtime) -> Job:
    """The job once it has ended, or, where a later answer will do, when the time to wait is over."""
    deadline_s = wishes.ticket.deadline_s
    with runtime.jobs.signals.end_of(job.id) as ended:
        while job.state in OPEN:
            try:
                wishes.ticket.check()
            except DeadlinePassedError:
                if wishes.later:
                    return job
                raise
            if await request.is_disconnected():
                raise AbandonedError
            with anyio.move_on_after(_next_look_s(deadline_s)):
                await ended.wait()
            job = await anyio.to_thread.run_sync(runtime.jobs.records.get, job.id)
    return job


def _next_look_s(deadline_s: float | None) -> float:
    return LOOK_EVERY_S if deadline_s is None else min(LOOK_EVERY_S, max(0.0, deadline_s - time.monotonic()))


def pause_s(job: Job) -> int:
    """When to ask again: soon for a young job, later for one that has waited long; of one that has ended there is nothing to wait for."""
    if job.state not in OPEN:
        return 1
    age_s = (datetime.now(UTC) - job.created).total_seconds()
    return max(1, min(LONGEST_PAUSE_S, int(age_s / 4)))
