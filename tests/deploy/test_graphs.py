"""A predictor replica serves the package that is meant, once it has proved itself, and notices when it no longer does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import (
    DeadlinePassedError,
    GoldenMismatchError,
    PackageDigestError,
    PackageInvalidError,
    UnknownModelError,
)
from app.inference.graph_contract import input_shapes
from app.inference.graph_session import GraphSession, RawOutputs
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.inference.ticket import Ticket, Urgency
from app.model_package.package import Package
from app.model_package.store import ModelStore
from app.serving.start import start_with
from deploy.ray.graphs import Graphs
from deploy.ray.wire import PackageKey, Question


class FailingDevice:
    """A graph that answers well until its device dies and returns what lies in memory, as GPUs do (vllm#36960)."""

    def __init__(self, session: GraphSession) -> None:
        self._session = session
        self.provider = session.provider
        self.is_dead = False

    def run(self, image: np.ndarray, values: np.ndarray, missing: np.ndarray) -> RawOutputs:
        answer = self._session.run(image, values, missing)
        return replace(answer, probabilities=answer.probabilities[:, ::-1]) if self.is_dead else answer

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def devices() -> list[FailingDevice]:
    """Those of the packages that were opened, in order."""
    return []


@pytest.fixture
def graphs(tiny_store: Path, devices: list[FailingDevice]) -> Graphs:
    def start(package: Package) -> Predictor:
        devices.append(FailingDevice(OnnxSession(package, threads=1)))
        return Predictor(package, devices[-1])

    return Graphs(ModelStore(tiny_store), start)


@pytest.fixture
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


def question(package: Package, remaining_s: float | None = None) -> Question:
    shapes = {
        name: np.zeros((1, *shape), np.float32) for name, shape in input_shapes(package.manifest).items()
    }
    image, values, missing = shapes.values()
    return Question(PackageKey.of(package), image, values, missing, Urgency.ROUTINE, remaining_s)


def test_the_answer_is_that_of_a_session_here(graphs: Graphs, package: Package) -> None:
    asked = question(package)
    there = graphs.answer(asked, Ticket())
    here = OnnxSession(package, threads=1).run(asked.image, asked.values, asked.missing)
    assert np.array_equal(there.probabilities, here.probabilities)


def test_a_package_is_opened_once(graphs: Graphs, package: Package, devices: list[FailingDevice]) -> None:
    opened = graphs.opened(PackageKey.of(package))
    graphs.opened(PackageKey.of(package))
    assert (opened.provider, len(devices)) == ("CPUExecutionProvider", 1)


def test_a_package_that_would_end_the_replica_is_not_opened_in_it(tiny_store: Path, package: Package) -> None:
    def refused(_package: Package) -> None:
        raise PackageInvalidError("it ended that process")

    graphs = Graphs(ModelStore(tiny_store), start_with("cpu", 1), refused)
    key = PackageKey.of(package)
    for _ in range(2):
        with pytest.raises(PackageInvalidError):
            graphs.opened(key)
        with pytest.raises(PackageInvalidError):
            graphs.answer(question(package), Ticket())
    assert graphs.opened(key, tried_first=False).provider == "CPUExecutionProvider"
    assert graphs.opened(key).provider == "CPUExecutionProvider", "and what is open is not tried again"


def test_another_package_of_the_same_name_and_version_is_refused(graphs: Graphs, package: Package) -> None:
    with pytest.raises(PackageDigestError, match="gos@1"):
        graphs.opened(replace(PackageKey.of(package), sha256="0" * 64))


def test_a_package_that_is_not_in_this_store_is_refused(graphs: Graphs, package: Package) -> None:
    with pytest.raises(UnknownModelError):
        graphs.opened(replace(PackageKey.of(package), version=9))


def test_a_device_that_dies_under_a_living_process_is_noticed(
    graphs: Graphs, package: Package, devices: list[FailingDevice]
) -> None:
    graphs.opened(PackageKey.of(package))
    graphs.check()
    devices[0].is_dead = True
    with pytest.raises(GoldenMismatchError):
        graphs.check()


def test_a_package_that_does_not_give_its_golden_answer_is_never_opened(
    tiny_store: Path, package: Package
) -> None:
    def start_on_a_dead_device(package: Package) -> Predictor:
        device = FailingDevice(OnnxSession(package, threads=1))
        device.is_dead = True
        return Predictor(package, device)

    graphs = Graphs(ModelStore(tiny_store), start_on_a_dead_device)
    for _ in range(2):
        with pytest.raises(GoldenMismatchError):
            graphs.answer(question(package), Ticket())


def test_a_deadline_holds_on_this_side_too(tiny_store: Path, package: Package) -> None:
    graphs = Graphs(ModelStore(tiny_store), start_with("cpu", 1))
    with pytest.raises(DeadlinePassedError):
        graphs.answer(question(package), Ticket(deadline_s=0.0))
