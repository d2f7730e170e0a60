"""Answers that were given, and their heatmaps."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse

from app.api.openapi import problem_responses
from app.api.runtime import CurrentRuntime
from app.errors import UnknownPredictionError
from app.predictions.answer import Answer, HeatmapFiles
from app.predictions.explain import NIFTI_NAME, PNG_NAME

PREFIX = "/predictions"
NIFTI_MEDIA_TYPE = "application/gzip"

router = APIRouter(prefix=PREFIX, tags=["predictions"])

PredictionId = Annotated[
    str, Path(description="The `id` of an answer.", examples=["0193c2f4-6a00-7a31-9c2e-5d1f0b7e8a90"])
]
UNKNOWN = problem_responses(UnknownPredictionError)


def with_links(answer: Answer) -> Answer:
    """The answer as a client gets it: the names of the heatmap files become paths on this service."""
    if answer.heatmap is None:
        return answer
    folder = f"{PREFIX}/{answer.id}"
    links = HeatmapFiles(nifti=f"{folder}/{answer.heatmap.nifti}", png=f"{folder}/{answer.heatmap.png}")
    return answer.model_copy(update={"heatmap": links})


@router.get(
    "/{prediction_id}",
    operation_id="get_prediction",
    summary="An answer that was given",
    responses=UNKNOWN,
)
def get_prediction(runtime: CurrentRuntime, prediction_id: PredictionId) -> Answer:
    """The same document that `POST /predict` gave."""
    return with_links(runtime.predictions.find(prediction_id))


@router.head(f"/{{prediction_id}}/{NIFTI_NAME}", include_in_schema=False)
@router.get(
    f"/{{prediction_id}}/{NIFTI_NAME}",
    operation_id="get_heatmap_nifti",
    summary="The heatmap as NIfTI",
    response_class=FileResponse,
    responses={
        **UNKNOWN,
        200: {"content": {NIFTI_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
    },
)
def get_heatmap_nifti(runtime: CurrentRuntime, prediction_id: PredictionId) -> FileResponse:
    """Values 0 to 1; on the native grid it has the shape and the affine of the image that was sent."""
    path = runtime.predictions.heatmap(prediction_id, "nii.gz")
    return FileResponse(path, media_type=NIFTI_MEDIA_TYPE, filename=NIFTI_NAME)


@router.head(f"/{{prediction_id}}/{PNG_NAME}", include_in_schema=False)
@router.get(
    f"/{{prediction_id}}/{PNG_NAME}",
    operation_id="get_heatmap_png",
    summary="The heatmap over the image",
    response_class=FileResponse,
    responses={
        **UNKNOWN,
        200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}},
    },
)
def get_heatmap_png(runtime: CurrentRuntime, prediction_id: PredictionId) -> FileResponse:
    """A picture for people; measure on the NIfTI file."""
    return FileResponse(runtime.predictions.heatmap(prediction_id, "png"), media_type="image/png")
