"""app.inference.cpu_session: a case that comes alone has several threads, and cases that meet have one each and the same answers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.errors import OverloadedError
from app.inference.cpu_session import CpuSession, answers_alike
from app.inference.graph_session import RawOutputs
from app.inference.onnx_runtime.session import OnnxSession
from app.model_package.package import Package
from app.model_package.store import ModelStore
from tests.inference.onnx_runtime.graphs import batch
from tests.support.slow_graph import REFUSED, SlowGraph, case


@pytest.fixture(scope="module")
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


def test_a_case_that_comes_alone_has_several_threads_and_those_who_meet_it_one_each() -> None:
    wide, narrow = SlowGraph(), SlowGraph()
    session = CpuSession([wide], narrow, threads=2, cores=2)
    wide.gate.clear()
    narrow.gate.clear()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(session.run, *case(1))
        assert wide.begun.acquire(timeout=10)
        others = [threads.submit(session.run, *case(pixel)) for pixel in (2, 3)]
        for _ in others:
            assert narrow.begun.acquire(timeout=10)
        wide.gate.set()
        first.result()
        late = threads.submit(session.run, *case(4))
        assert narrow.begun.acquire(timeout=10), "two cores are busy with one thread each"
        narrow.gate.set()
        assert [float(each.result().probabilities[0, 0]) for each in (*others, late)] == [2, 3, 4]
    session.run(*case(5))
    assert wide.runs == [[1.0], [5.0]]


def test_a_run_that_fails_gives_its_threads_back() -> None:
    wide, narrow = SlowGraph(), SlowGraph()
    session = CpuSession([wide], narrow, threads=2, cores=2)
    for _ in range(3):
        with pytest.raises(OverloadedError):
            session.run(*case(REFUSED))
    session.run(*case(1))
    assert wide.runs == [[REFUSED]] * 3 + [[1.0]]
    assert narrow.runs == []


def test_many_cores_have_several_wide_runs_at_once() -> None:
    wide, narrow = [SlowGraph(), SlowGraph()], SlowGraph()
    session = CpuSession(wide, narrow, threads=4, cores=9)
    for each in (*wide, narrow):
        each.gate.clear()
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(session.run, *case(pixel)) for pixel in range(3)]
        for each in (*wide, narrow):
            assert each.begun.acquire(timeout=10)
            each.gate.set()
        for answered in asked:
            answered.result()


def test_closing_closes_all() -> None:
    wide, narrow = SlowGraph(), SlowGraph()
    CpuSession([wide], narrow, threads=2, cores=2).close()
    assert wide.closed
    assert narrow.closed


def test_the_answer_is_the_same_to_the_last_bit_whoever_asks_beside(package: Package) -> None:
    wide, narrow = OnnxSession(package, threads=2), OnnxSession(package, threads=1)
    assert answers_alike(wide, narrow, package.manifest)
    session, alone = CpuSession([wide], narrow, threads=2, cores=2), OnnxSession(package, threads=2)
    runs = [batch(package, 1, seed) for seed in range(24)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda tensors: session.run(*tensors), runs))
    for tensors, answer in zip(runs, together, strict=True):
        expected = alone.run(*tensors).tensors()
        for name, tensor in answer.tensors().items():
            np.testing.assert_array_equal(tensor, expected[name])


class Off(SlowGraph):
    """Its answers differ in the last bit."""

    def run(self, image: np.ndarray, values: np.ndarray, missing: np.ndarray) -> RawOutputs:
        answer = super().run(image, values, missing)
        return RawOutputs(
            np.nextafter(answer.probabilities, np.float32(np.inf)),
            answer.heatmap,
            answer.image_share,
            answer.embedding,
        )


def test_a_last_bit_tells_sessions_apart(package: Package) -> None:
    assert answers_alike(SlowGraph(), SlowGraph(), package.manifest)
    assert not answers_alike(SlowGraph(), Off(), package.manifest)
