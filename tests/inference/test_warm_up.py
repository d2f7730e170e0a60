"""How cases are gathered follows from what larger batches bring."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.errors import OverloadedError
from app.inference.graph_session import RawOutputs
from app.inference.warm_up import exercise, warm_up
from app.model_package.package import Package
from app.model_package.store import ModelStore
from tests.support.slow_graph import SlowGraph


@pytest.fixture(scope="module")
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


@dataclass
class Clock:
    """Stands still but for what a device takes: a sleep would measure the machine that runs the tests, too."""

    now_s: float = 0.0

    def perf_counter(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.inference.warm_up.time", clock)
    return clock


class TimedGraph(SlowGraph):
    """A device with a price for a run and a price for a case, and memory for so many."""

    def __init__(self, clock: Clock, run_s: float, case_s: float, memory: int = 1000) -> None:
        super().__init__(memory)
        self.clock, self.run_s, self.case_s = clock, run_s, case_s

    def run(self, image: np.ndarray, values: np.ndarray, missing: np.ndarray) -> RawOutputs:
        self.clock.now_s += self.run_s + len(image) * self.case_s
        return super().run(image, values, missing)


def test_a_device_that_takes_as_long_for_many_gets_many(package: Package, clock: Clock) -> None:
    policy = warm_up(TimedGraph(clock, run_s=0.02, case_s=0), package.manifest)
    assert policy.max_batch == 16
    assert list(policy.run_s) == [1, 2, 4, 8, 16]
    assert policy.max_wait_s == pytest.approx(0.02 / 4)


def test_a_device_that_takes_twice_as_long_for_two_gets_one_at_a_time(package: Package, clock: Clock) -> None:
    policy = warm_up(TimedGraph(clock, run_s=0, case_s=0.02), package.manifest)
    assert policy.max_batch == 1
    assert policy.max_wait_s == 0
    assert list(policy.run_s) == [1, 2]


def test_a_graph_that_takes_next_to_no_time_is_not_worth_a_wait(package: Package, clock: Clock) -> None:
    assert warm_up(TimedGraph(clock, run_s=0.0015, case_s=0), package.manifest).max_batch == 1


def test_a_size_that_the_device_has_no_memory_for_is_not_chosen(package: Package, clock: Clock) -> None:
    policy = warm_up(TimedGraph(clock, run_s=0.02, case_s=0, memory=4), package.manifest)
    assert policy.max_batch == 4


def test_a_device_that_cannot_answer_one_case_is_told_of(package: Package) -> None:
    with pytest.raises(OverloadedError):
        warm_up(SlowGraph(memory=0), package.manifest)


def test_no_batch_is_larger_than_is_allowed(package: Package, clock: Clock) -> None:
    assert warm_up(TimedGraph(clock, run_s=0.02, case_s=0), package.manifest, most=2).max_batch == 2


def test_a_session_can_be_made_to_meet_every_size(package: Package) -> None:
    graph = SlowGraph()
    exercise(graph, package.manifest, (1, 2, 4))
    assert [len(run) for run in graph.runs] == [1, 2, 4]
