"""A graph on another machine, asked as one in this process is."""

import time
from contextlib import suppress
from typing import Any, Final

import numpy as np
from jaxtyping import Float32
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import BackPressureError, RayServeException, ReplicaUnavailableError

from app.errors import DeadlinePassedError, NeuroFuseError, NotReadyError, OverloadedError
from app.inference.graph_session import RawOutputs
from app.inference.predictor import Predictor
from app.inference.self_test import self_test
from app.inference.ticket import AbandonedError, Ticket, current_ticket
from app.model_package.package import Package
from app.predictions.entry import StartPredictor
from deploy.ray.wire import OpenedPackage, PackageKey, Question

LOOK_UP_S: Final = 0.25
"""How often a case that waits asks whether its client is still there and its time not over."""
OPEN_WITHIN_S: Final = 600.0
"""Replicas start, load and measure their graphs meanwhile; TensorRT compiles for minutes."""
ANSWER_WITHIN_S: Final = 60.0
RETRY_AFTER_S: Final = 5
ATTEMPTS: Final = 3
"""A graph has no memory, so a case whose replica died is asked again elsewhere."""


class RemoteSession:
    """A `GraphSession` whose graph is held by the predictor replicas.

    Args:
        predictors: Handle of the deployment of `deploy.ray.predictor.PredictorReplica`.
        package: Which graph.

    Raises:
        NeuroFuseError: Why it is not served there.
    """

    def __init__(self, predictors: Any, package: Package) -> None:  # noqa: ANN401 - Ray ships no types for handles
        self._predictors = predictors
        self._key = PackageKey.of(package)
        opened: OpenedPackage = self._ask("open", self._key, Ticket(), OPEN_WITHIN_S)
        self.provider = opened.provider
        self.fell_back = opened.fell_back

    def run(
        self,
        image: Float32[np.ndarray, "B 1 D H W"],
        values: Float32[np.ndarray, "B F"],
        missing: Float32[np.ndarray, "B F"],
    ) -> RawOutputs:
        """Answer a batch, as `GraphSession.run` does; from a thread, never from an event loop.

        Raises:
            NeuroFuseError: As the session there; `OverloadedError` and `NotReadyError` where none answers.
            AbandonedError: The client of the current ticket went away.
        """
        ticket = current_ticket()
        remaining_s = None if ticket.deadline_s is None else ticket.deadline_s - time.monotonic()
        question = Question(self._key, image, values, missing, ticket.urgency, remaining_s)
        answer: RawOutputs = self._ask("answer", question, ticket, ANSWER_WITHIN_S)
        return answer

    def close(self) -> None:
        """Nothing to give back: the replicas hold the graph for others too."""

    def _ask(self, method: str, argument: object, ticket: Ticket, within_s: float) -> Any:  # noqa: ANN401
        give_up_s = time.monotonic() + within_s
        for attempt in range(1, ATTEMPTS + 1):
            try:
                outcome = _waited(getattr(self._predictors, method).remote(argument), ticket, give_up_s)
            except BackPressureError:
                raise _overloaded() from None
            except (RayActorError, ReplicaUnavailableError) as error:
                if attempt == ATTEMPTS:
                    raise _unreachable(error) from None
            except (RayError, RayServeException) as error:
                raise _unreachable(error) from None
            else:
                if isinstance(outcome, NeuroFuseError):
                    raise outcome
                return outcome
        raise AssertionError("the last attempt raises or returns")


def remote_start(predictors: Any) -> StartPredictor:  # noqa: ANN401 - Ray ships no types for handles
    """How an ingress replica makes packages ready: elsewhere, and proven from here.

    Args:
        predictors: Handle of the deployment of `deploy.ray.predictor.PredictorReplica`.
    """

    def start(package: Package) -> Predictor:
        predictor = Predictor(package, RemoteSession(predictors, package))
        self_test(predictor)
        return predictor

    return start


def _waited(response: Any, ticket: Ticket, give_up_s: float) -> object:  # noqa: ANN401 - Ray ships no types
    """The result of a call, waited for as long as anybody wants it; then the call is cancelled."""
    try:
        while True:
            with suppress(TimeoutError):
                return response.result(timeout_s=LOOK_UP_S)
            ticket.check()
            _check_patience(give_up_s)
    except (AbandonedError, DeadlinePassedError, OverloadedError):
        response.cancel()
        raise


def _check_patience(give_up_s: float) -> None:
    if time.monotonic() >= give_up_s:
        raise _overloaded()


def _overloaded() -> OverloadedError:
    return OverloadedError(
        "Expected a predictor with room for this case; all are busy. Try again later.",
        retry_after_s=RETRY_AFTER_S,
    )


def _unreachable(error: Exception) -> NotReadyError:
    return NotReadyError(
        f"Expected a predictor that answers, found {type(error).__name__}. Try again later; `serve status` says more.",
        retry_after_s=RETRY_AFTER_S,
    )
