"""Answers that were given, and their heatmaps."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from app.api.answers import PREFIX, accepted, outcome, with_links
from app.api.file_answer import FileAnswer, file_responses
from app.api.job_schemas import JobStatus
from app.api.openapi import IMAGE_PROBLEMS, problem_responses
from app.api.response_headers import LOCATION, RETRY_AFTER
from app.api.runtime import CurrentRuntime
from app.api.visibility import PredictionId
from app.errors import (
    AnswerUnreadableError,
    CaseExpiredError,
    JobCancelledError,
    JobInterruptedError,
    NotReadyError,
    OverloadedError,
    UnknownPredictionError,
)
from app.predictions.answer import Answer
from app.predictions.answering import NIFTI_NAME, PNG_NAME
from app.predictions.heatmaps import HeatmapSuffix, expired
from app.records.jobs import OPEN

NIFTI_MEDIA_TYPE = "application/gzip"

router = APIRouter(prefix=PREFIX, tags=["predictions"])

UNKNOWN = problem_responses(UnknownPredictionError)
EXPIRED = problem_responses(UnknownPredictionError, AnswerUnreadableError, CaseExpiredError)


@router.get(
    "/{prediction_id}",
    operation_id="get_prediction",
    summary="An answer that was given",
    response_model=Answer,
    responses={
        **problem_responses(
            UnknownPredictionError,
            JobCancelledError,
            JobInterruptedError,
            AnswerUnreadableError,
            *IMAGE_PROBLEMS,
            NotReadyError,
            OverloadedError,
        ),
        HTTPStatus.ACCEPTED: {
            "model": JobStatus,
            "description": "Its job waits or runs; come back after `Retry-After`.",
            "headers": LOCATION | RETRY_AFTER,
        },
    },
)
def get_prediction(
    request: Request, runtime: CurrentRuntime, prediction_id: PredictionId
) -> Answer | JSONResponse:
    """The document that `POST /predict` gave; of a job, its status until it is done, or the problem that it met, with its status."""
    try:
        return with_links(runtime.predictions.find(prediction_id))
    except UnknownPredictionError:
        job = runtime.jobs.records.find(prediction_id)
        if job is None:
            raise
    return accepted(job, runtime) if job.state in OPEN else outcome(job, request, runtime)


def _heatmap(suffix: HeatmapSuffix) -> Any:  # noqa: ANN401 - of FastAPI
    """The file, held until the response is sent: where artefacts lie elsewhere, it is a copy."""

    def held(runtime: CurrentRuntime, prediction_id: PredictionId) -> Iterator[FilePath]:
        with runtime.predictions.heatmap(prediction_id, suffix) as path, _held_open(path) as opened:
            yield opened

    return Depends(held)


@contextmanager
def _held_open(path: FilePath) -> Iterator[FilePath]:
    """The same file by a path that still leads to it once its name is gone: an answer may be deleted while its heatmap is on the way."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        raise expired() from None
    try:
        yield FilePath(f"/dev/fd/{descriptor}")
    finally:
        os.close(descriptor)


@router.head(f"/{{prediction_id}}/{NIFTI_NAME}", include_in_schema=False)
@router.get(
    f"/{{prediction_id}}/{NIFTI_NAME}",
    operation_id="get_heatmap_nifti",
    summary="The heatmap as NIfTI",
    response_class=FileAnswer,
    responses=EXPIRED | file_responses(NIFTI_MEDIA_TYPE),
)
def get_heatmap_nifti(path: Annotated[FilePath, _heatmap("nii.gz")]) -> FileAnswer:
    """Values 0 to 1; on the native grid it has the shape and the affine of the image that was sent."""
    return FileAnswer(path, media_type=NIFTI_MEDIA_TYPE, filename=NIFTI_NAME)


@router.head(f"/{{prediction_id}}/{PNG_NAME}", include_in_schema=False)
@router.get(
    f"/{{prediction_id}}/{PNG_NAME}",
    operation_id="get_heatmap_png",
    summary="The heatmap over the image",
    response_class=FileAnswer,
    responses=EXPIRED | file_responses("image/png"),
)
def get_heatmap_png(path: Annotated[FilePath, _heatmap("png")]) -> FileAnswer:
    """A picture for people; measure on the NIfTI file."""
    return FileAnswer(path, media_type="image/png")
