"""What a session on another machine makes of all that Ray may do to a call; Ray's handle is played here, since no cluster fails on demand."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what Ray says of itself as it is imported
    pytest.importorskip("ray.serve", reason="Ray is not installed here: make test-ray")

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, RayServeException

from app.errors import (
    DeadlinePassedError,
    NeuroFuseError,
    NotReadyError,
    OverloadedError,
    PackageDigestError,
    PackageInvalidError,
    UnknownModelError,
)
from app.inference.graph_session import RawOutputs
from app.inference.ticket import AbandonedError, Ticket, Urgency, holding
from app.model_package.package import Package
from app.model_package.store import ModelStore
from deploy.ray import remote_session
from deploy.ray.remote_session import ATTEMPTS, RemoteSession, remote_start
from deploy.ray.wire import OpenedPackage, Question

ANSWER = RawOutputs(
    np.ones((1, 5), np.float32),
    np.ones((1, 2, 2, 2), np.float32),
    np.ones((1, 4), np.float32),
    np.ones((1, 3), np.float32),
)
TENSORS = (np.zeros((1, 1, 2, 2, 2), np.float32), np.zeros((1, 3), np.float32), np.zeros((1, 3), np.float32))
SILENCE = object()


@dataclass
class Replicas:
    """Ray's handle of a deployment: calls come out as scripted, the last outcome again and again."""

    outcomes: list[object]
    said_by_others: list[object] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    cancelled: int = 0

    @property
    def open(self) -> "Call":
        return Call(self, lambda: OpenedPackage("CUDAExecutionProvider"))

    @property
    def answer(self) -> "Call":
        return Call(self, self._next)

    def broadcast(self, method: str, argument: object) -> "Broadcast":
        assert (method, argument) == ("open", self.asked[0])
        return Broadcast(self.said_by_others)

    def _next(self) -> object:
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


@dataclass
class Broadcast:
    """The responses of all replicas to one call."""

    said: list[object]

    def results(self, timeout_s: float, *, return_exceptions: bool) -> list[object]:
        assert timeout_s > 0
        assert return_exceptions
        return self.said


@dataclass
class Call:
    """A method of the handle, and the response to its call."""

    replicas: Replicas
    outcome: Callable[[], object]
    found: object = None

    def remote(self, argument: object) -> "Call":
        self.replicas.asked.append(argument)
        self.found = self.outcome()
        return self

    def result(self, timeout_s: float) -> object:
        if self.found is SILENCE:
            time.sleep(min(timeout_s, 0.01))
            raise TimeoutError
        if isinstance(self.found, Exception) and not isinstance(self.found, NeuroFuseError):
            raise self.found
        return self.found

    def cancel(self) -> None:
        self.replicas.cancelled += 1


@pytest.fixture(scope="module")
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


def asked(package: Package, *outcomes: object) -> tuple[RemoteSession, Replicas]:
    replicas = Replicas(list(outcomes))
    return RemoteSession(replicas, package, Event()), replicas


def test_the_provider_is_that_of_the_replicas(package: Package) -> None:
    session, _ = asked(package, ANSWER)
    assert session.provider == "CUDAExecutionProvider"


def test_urgency_and_remaining_time_travel_with_the_tensors(package: Package) -> None:
    session, replicas = asked(package, ANSWER)
    with holding(Ticket(Urgency.STAT, time.monotonic() + 30)):
        assert session.run(*TENSORS) is ANSWER
    question = replicas.asked[-1]
    assert isinstance(question, Question)
    assert (str(question.package), question.urgency) == ("gos@1", Urgency.STAT)
    assert question.remaining_s == pytest.approx(30, abs=10)
    assert question.image is TENSORS[0]


def test_a_case_whose_replica_died_is_asked_again_but_not_for_ever(package: Package) -> None:
    died = RayActorError()
    session, _ = asked(package, died, died, ANSWER)
    assert session.run(*TENSORS) is ANSWER
    session, replicas = asked(package, died)
    with pytest.raises(NotReadyError, match="RayActorError"):
        session.run(*TENSORS)
    assert len(replicas.asked) == 1 + ATTEMPTS


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (BackPressureError(num_queued_requests=1, max_queued_requests=1), OverloadedError),
        (RayServeException("the deployment is unhealthy"), NotReadyError),
        (OverloadedError("no memory"), OverloadedError),
    ],
)
def test_what_goes_wrong_there_has_our_name_here(
    package: Package, outcome: Exception, error: type[NeuroFuseError]
) -> None:
    session, replicas = asked(package, outcome)
    with pytest.raises(error):
        session.run(*TENSORS)
    assert len(replicas.asked) == 2, "opened, and asked once"


def test_a_call_that_nobody_waits_for_is_cancelled(package: Package) -> None:
    session, replicas = asked(package, SILENCE)
    left = Ticket()
    left.gone.set()
    with holding(left), pytest.raises(AbandonedError):
        session.run(*TENSORS)
    with holding(Ticket(deadline_s=time.monotonic() + 0.05)), pytest.raises(DeadlinePassedError):
        session.run(*TENSORS)
    assert replicas.cancelled == 2


def test_silence_is_not_waited_for_without_end(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_session, "ANSWER_WITHIN_S", 0.05)
    session, replicas = asked(package, SILENCE)
    with pytest.raises(OverloadedError):
        session.run(*TENSORS)
    assert replicas.cancelled == 1


@pytest.mark.parametrize(
    "fault",
    [
        PackageInvalidError("a device that fails"),
        NotReadyError("a node without a GPU"),
        PackageDigestError("another store"),
        UnknownModelError("an older store"),
    ],
)
def test_a_case_that_one_replica_cannot_answer_is_asked_at_another(
    package: Package, fault: Exception
) -> None:
    session, _ = asked(package, fault, ANSWER)
    assert session.run(*TENSORS) is ANSWER
    session, replicas = asked(package, fault)
    with pytest.raises(type(fault) if isinstance(fault, PackageInvalidError) else NotReadyError):
        session.run(*TENSORS)
    assert len(replicas.asked) == 1 + ATTEMPTS


@pytest.mark.parametrize("other", [PackageDigestError("another"), UnknownModelError("none")])
def test_a_package_that_is_another_on_one_node_is_not_opened(package: Package, other: Exception) -> None:
    unsettled, opened = Event(), OpenedPackage("CPUExecutionProvider")
    with pytest.raises(type(other)):
        RemoteSession(Replicas([ANSWER], [opened, other]), package, unsettled)
    assert unsettled.is_set(), "until the stores are the same"
    RemoteSession(Replicas([ANSWER], [opened, RayActorError(), NotReadyError("no GPU")]), package, Event())


@pytest.mark.parametrize(
    ("outcome", "says_nothing_of_the_package"),
    [(RayActorError(), True), (SILENCE, True), (PackageInvalidError("told as a value"), False)],
)
def test_a_package_that_nobody_answered_for_is_told_from_one_that_was_refused(
    package: Package, monkeypatch: pytest.MonkeyPatch, outcome: object, *, says_nothing_of_the_package: bool
) -> None:
    monkeypatch.setattr(remote_session, "ANSWER_WITHIN_S", 0.05)
    unsettled, replicas = Event(), Replicas([outcome])
    with pytest.raises(NeuroFuseError):
        remote_start(replicas, unsettled)(package)
    assert unsettled.is_set() == says_nothing_of_the_package
    assert replicas.asked[-1].urgency == Urgency.STAT, "behind nobody"
