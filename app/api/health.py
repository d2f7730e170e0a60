"""Probes and metrics. They run on the event loop and touch no worker thread, so a busy service still answers them."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.api.models import model_state
from app.api.runtime import CurrentRuntime
from app.api.schemas import Liveness, Readiness

router = APIRouter(tags=["operations"])


@router.head("/livez", include_in_schema=False)
@router.get("/livez", operation_id="get_liveness", summary="Does the process answer?")
async def livez() -> Liveness:
    """Always 200 while the process can answer at all; says nothing of the packages."""
    return Liveness(alive=True)


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Will requests be answered?",
    responses={
        503: {"model": Readiness, "description": "Some name has no package that is ready; the body says why."}
    },
)
async def readyz(runtime: CurrentRuntime, response: Response) -> Readiness:
    """200 only when whatever a name means is verified and gave its golden answer on the provider that was asked for."""
    ready = runtime.catalogue.ready
    response.status_code = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(
        ready=ready,
        provider=runtime.settings.provider,
        models=[model_state(entry) for entry in runtime.catalogue.entries()],
    )


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(runtime: CurrentRuntime) -> Response:
    """Prometheus text format."""
    runtime.catalogue.report()
    return Response(runtime.metrics.render(), media_type=CONTENT_TYPE_LATEST)
