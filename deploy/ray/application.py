"""The service on a Ray cluster: `serve deploy deploy/ray/serve.yaml`.

    clients -> proxy of any node -> Ingress: HTTP, reading, heatmaps, records -> Predictor: graphs, batches, GPUs

What a replica is, is here; how many there are and what each may take, is the operator's: `serve.yaml`.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from ray import serve

from app.settings import Settings
from deploy.ray.ingress import IngressReplica
from deploy.ray.predictor import PredictorReplica

PROBES: Final = 32
"""Requests beside those that hold a place: probes, pages, answers that are looked up. The application refuses what is too much, with a
problem document and Retry-After; Ray's own queue would make it wait, and unseen."""
ONGOING_CASES: Final = 64
"""Of one predictor replica; more wait in the ingress, where they are counted for its autoscaling."""
CHECK_EVERY_S: Final = 30.0
CHECK_WITHIN_S: Final = 60.0
DRAIN_WITHIN_S: Final = 120.0
"""A replica that is told to stop finishes what it has begun."""


class Arguments(BaseModel):
    """`args` of the application in the Serve config file.

    Attributes:
        release: Any text; a change of it replaces every replica, a few at a time: how new packages and new settings come in.
        alone: One ingress replica that keeps its records in its own folder; for trying out.
    """

    model_config = ConfigDict(extra="forbid")

    release: str = ""
    alone: bool = False


def build(arguments: Arguments) -> Any:  # noqa: ANN401 - Ray ships no types that mypy could read everywhere
    """The application, as Ray Serve asks for it.

    Args:
        arguments: From the config file.

    Returns:
        A `serve.Application`.
    """
    settings = Settings()
    predictors = serve.deployment(
        PredictorReplica,
        name="Predictor",
        max_ongoing_requests=ONGOING_CASES,
        health_check_period_s=CHECK_EVERY_S,
        health_check_timeout_s=CHECK_WITHIN_S,
        graceful_shutdown_timeout_s=DRAIN_WITHIN_S,
    )
    ingress = serve.deployment(
        serve.ingress()(IngressReplica),
        name="Ingress",
        max_ongoing_requests=settings.cases_at_once + settings.queue_places + settings.slow_uploads + PROBES,
        health_check_period_s=CHECK_EVERY_S,
        health_check_timeout_s=CHECK_WITHIN_S,
        graceful_shutdown_timeout_s=DRAIN_WITHIN_S,
    )
    return ingress.bind(predictors.bind(arguments.release), arguments.release, alone=arguments.alone)
