"""A graph on another machine, asked as one in this process is."""

import time
from contextlib import suppress
from threading import Event
from typing import Any, Final

import numpy as np
from jaxtyping import Float32
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import BackPressureError, RayServeException, ReplicaUnavailableError

from app.errors import (
    DeadlinePassedError,
    NeuroFuseError,
    NotReadyError,
    OverloadedError,
    PackageDigestError,
    PackageError,
    ServiceError,
    UnknownModelError,
)
from app.inference.graph_session import RawOutputs
from app.inference.predictor import Predictor
from app.inference.self_test import self_test
from app.inference.ticket import AbandonedError, Ticket, Urgency, current_ticket, holding
from app.model_package.package import Package
from app.serving.entry import StartPredictor
from deploy.ray.wire import OpenedPackage, PackageKey, Question

LOOK_UP_S: Final = 0.25
"""How often a case that waits asks whether its client is still there and its time not over."""
OPEN_WITHIN_S: Final = 600.0
"""Replicas start, load and measure their graphs meanwhile; TensorRT compiles for minutes."""
ANSWER_WITHIN_S: Final = 60.0
RETRY_AFTER_S: Final = 5
ATTEMPTS: Final = 3
"""A graph has no memory, so a case whose replica died, or cannot answer, is asked again elsewhere."""
_ABSENT: Final = (PackageDigestError, UnknownModelError)
"""What a replica says whose node has another package of that name and version, or none."""
_ELSEWHERE: Final = (UnknownModelError, PackageError, NotReadyError)
"""What may lie in one replica: in its store, or in its device, which fails its next golden case only."""


class RemoteSession:
    """A `GraphSession` whose graph is held by the predictor replicas.

    Args:
        predictors: Handle of the deployment of `deploy.ray.predictor.PredictorReplica`.
        package: Which graph.
        unsettled: Set where the replicas could not be asked, or have not all the same package; see `remote_start`.

    Raises:
        NeuroFuseError: Why it is not served there.
    """

    def __init__(self, predictors: Any, package: Package, unsettled: Event) -> None:  # noqa: ANN401 - Ray ships no types for handles
        self._predictors = predictors
        self._key = PackageKey.of(package)
        self._unsettled = unsettled
        opened: OpenedPackage = self._ask("open", self._key, Ticket(), OPEN_WITHIN_S)
        self.provider = opened.provider
        self._require_same()

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
        try:
            answer: RawOutputs = self._ask("answer", question, ticket, ANSWER_WITHIN_S)
        except _ABSENT as error:
            raise NotReadyError(
                f"Expected the same {self._key} in the stores of all nodes, found {error.code}. Copy one store to every node.",
                retry_after_s=RETRY_AFTER_S,
            ) from None
        return answer

    def close(self) -> None:
        """Nothing to give back: the replicas hold the graph for others too."""

    def _require_same(self) -> None:
        """Have every replica open the package: two that differ must never answer under one name and version.

        One that cannot be asked has no voice here; what it lacks will be found by the case that comes to it.
        """
        try:
            asked = self._predictors.broadcast("open", self._key)
            said = asked.results(timeout_s=OPEN_WITHIN_S, return_exceptions=True)
        except (TimeoutError, RayServeException) as error:
            self._unsettled.set()
            raise _unreachable(error) from None
        for outcome in said:
            if isinstance(outcome, _ABSENT):
                self._unsettled.set()
                raise outcome

    def _ask(self, method: str, argument: object, ticket: Ticket, within_s: float) -> Any:  # noqa: ANN401
        try:
            outcome = self._outcome(method, argument, ticket, time.monotonic() + within_s)
        except ServiceError:
            self._unsettled.set()
            raise
        if isinstance(outcome, _ABSENT):
            self._unsettled.set()
        if isinstance(outcome, NeuroFuseError):
            raise outcome
        return outcome

    def _outcome(self, method: str, argument: object, ticket: Ticket, give_up_s: float) -> object:
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
                if attempt == ATTEMPTS or not isinstance(outcome, _ELSEWHERE):
                    return outcome
        raise AssertionError("the last attempt raises or returns")


def remote_start(predictors: Any, unsettled: Event) -> StartPredictor:  # noqa: ANN401 - Ray ships no types for handles
    """How an ingress replica makes packages ready: elsewhere, and proven from here.

    Args:
        predictors: Handle of the deployment of `deploy.ray.predictor.PredictorReplica`.
        unsettled: Set where none of them has answered in its time, or they differ: neither says anything of the package, which fails.
    """

    def start(package: Package) -> Predictor:
        predictor = Predictor(package, RemoteSession(predictors, package, unsettled))
        with holding(Ticket(Urgency.STAT)):  # behind nobody: it is under load that replicas are added
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
        "Expected a predictor that answers in time; all are busy, or the one that was asked hangs. Try again later.",
        retry_after_s=RETRY_AFTER_S,
    )


def _unreachable(error: Exception) -> NotReadyError:
    return NotReadyError(
        f"Expected a predictor that answers, found {type(error).__name__}. Try again later; `serve status` says more.",
        retry_after_s=RETRY_AFTER_S,
    )
