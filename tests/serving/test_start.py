"""app.serving.start: CUDA graphs are kept where they can be had and bring something, and a package is served in any case."""

import shutil
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from app.errors import NotReadyError, OverloadedError, PackageInvalidError
from app.inference.batching import BatchedSession
from app.inference.graph_contract import blank_inputs
from app.inference.graph_session import GraphSession, RawOutputs
from app.inference.onnx_runtime.session import OnnxSession
from app.model_package.package import Package, open_package, seal
from app.model_package.store import ModelStore
from app.model_package.training_summary import TRAINING_SUMMARY
from app.serving import start
from app.serving.start import Gathering, captured_where_faster, start_with, starter_alone
from app.settings import Settings


class Slowed:
    """A session that takes its time, on whatever device there is."""

    def __init__(self, package: Package, takes_s: float) -> None:
        self._session = OnnxSession(package, captured=(1,))
        self._takes_s = takes_s
        self.provider = self._session.provider
        self.is_closed = False

    def run(self, image: np.ndarray, values: np.ndarray, missing: np.ndarray) -> RawOutputs:
        time.sleep(self._takes_s)
        return self._session.run(image, values, missing)

    def close(self) -> None:
        self._session.close()
        self.is_closed = True


@pytest.fixture(scope="module")
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


@pytest.mark.parametrize(("plain_s", "captured_s"), [(0.0, 0.2), (0.2, 0.0)])
def test_the_faster_session_is_kept_and_the_other_closed(
    package: Package, plain_s: float, captured_s: float
) -> None:
    plain, captured = Slowed(package, plain_s), Slowed(package, captured_s)
    with capture_logs() as lines:
        kept = captured_where_faster(plain, lambda: captured, package)
    expected = captured if captured_s < plain_s else plain
    assert kept is expected
    assert (plain.is_closed, captured.is_closed) == (expected is not plain, expected is not captured)
    assert (lines[-1]["event"], lines[-1]["kept"]) == ("cuda-graphs-tried", expected is captured)
    kept.close()


def test_where_they_cannot_be_had_the_package_is_served_without(package: Package) -> None:
    def refused() -> GraphSession:
        raise NotReadyError("not on this device")

    plain = Slowed(package, 0.0)
    with capture_logs() as lines:
        assert captured_where_faster(plain, refused, package) is plain
    assert [line["event"] for line in lines] == ["cuda-graphs-refused", "cuda-graphs-tried"]
    assert not plain.is_closed
    plain.close()


class Device:
    """Stands for GPUs: sessions open on the CPU instead, and what they met is written down by the number of the GPU.

    Attributes:
        met: Sizes of the runs of its sessions.
        captured: Sizes that were captured for its session with graphs.
        sessions: Number of the GPU, and sizes that it met, of each session.
        threads: That any session has.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, *, plain_takes_s: float = 0.0, memory: Sequence[int] = (1000, 1000)
    ) -> None:
        self.met = met = defaultdict[int, set[int]](set)
        self.captured = captured_on = dict[int, tuple[int, ...]]()
        self.sessions = sessions = list[tuple[int, set[int]]]()
        self.threads = threads = set[int]()

        class OnCpu(OnnxSession):
            def __init__(self, package: Package, captured: tuple[int, ...] = (), **how: Any) -> None:
                super().__init__(package, threads=how["threads"], captured=captured)
                self.number, self.takes_s = how["device"], 0.0 if captured else plain_takes_s
                self.sizes = set[int]()
                threads.add(how["threads"])
                sessions.append((self.number, self.sizes))
                if captured:
                    captured_on[self.number] = captured

            def run(self, image: np.ndarray, values: np.ndarray, missing: np.ndarray) -> RawOutputs:
                time.sleep(self.takes_s)
                if len(image) > memory[self.number]:
                    raise OverloadedError("the device has no memory left for this batch")
                met[self.number].add(len(image))
                self.sizes.add(len(image))
                return super().run(image, values, missing)

        patch.setattr(start, "OnnxSession", OnCpu)


@pytest.mark.parametrize("most", [6, 16])
def test_every_lane_meets_every_size_before_it_takes_cases(
    package: Package, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    device = Device(monkeypatch)
    predictor = start_with("cuda", 1, devices=(0, 1), gathering=Gathering(max_batch=most))(package)
    assert isinstance(predictor.session, BatchedSession)
    sizes = predictor.session.policy.sizes
    assert max(sizes) == most
    assert device.met == {0: {*sizes}, 1: {*sizes}}


@pytest.mark.parametrize("memory", [(4, 1000), (1000, 4)])
def test_a_package_is_refused_where_any_lane_has_no_memory_for_the_largest_batch(
    package: Package, monkeypatch: pytest.MonkeyPatch, memory: tuple[int, int]
) -> None:
    Device(monkeypatch, memory=memory)
    with pytest.raises(
        OverloadedError, match=r"runs of 6 cases; one has less\. Set NEUROFUSE_MAX_BATCH lower"
    ):
        start_with("cuda", 1, devices=(0, 1), gathering=Gathering(max_batch=6))(package)


def test_a_gpu_has_a_session_for_each_size_that_runs_will_have(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Device(monkeypatch)
    predictor = start_with("cuda", 1, devices=(0, 1), gathering=Gathering(max_batch=4))(package)
    assert [sizes for number, sizes in device.sessions if number == 1] == [{1}, {2}, {4}]
    assert [sizes for number, sizes in device.sessions if number == 0] == [{1}, {2}, {4}]
    image, values, missing = blank_inputs(package.manifest, 7)
    assert len(predictor.session.run(image, values, missing).probabilities) == 7
    assert all(len(sizes) == 1 for _, sizes in device.sessions)
    predictor.session.close()


@pytest.mark.parametrize(("wanted", "threads"), [(0, 1), (3, 3)])
def test_a_session_on_a_gpu_has_one_thread_where_the_operator_does_not_choose(
    package: Package, monkeypatch: pytest.MonkeyPatch, wanted: int, threads: int
) -> None:
    device = Device(monkeypatch)
    start_with("cuda", wanted, cpus=8, gathering=Gathering(max_batch=2))(package)
    assert device.threads == {threads}


def test_a_command_for_single_cases_takes_the_first_of_the_gpus_that_are_ours_and_tries_no_batches(
    package: Package, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    device = Device(monkeypatch)
    starter_alone(Settings(data=tmp_path, provider="cuda", devices="1,0"))(package)
    assert device.met == {1: {1}}


def test_what_is_captured_are_the_sizes_that_runs_will_have(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Device(monkeypatch, plain_takes_s=0.1)
    chosen = Gathering(max_batch=3)
    with capture_logs() as lines:
        predictor = start_with("cuda", 1, devices=(0, 1), gathering=chosen, cuda_graphs=True)(package)
    assert isinstance(predictor.session, BatchedSession)
    assert predictor.session.policy.sizes == (1, 2, 3)
    assert device.captured == {0: (1, 2, 3), 1: (1, 2, 3)}
    assert [line["kept"] for line in lines if line["event"] == "cuda-graphs-tried"] == [True, True]
    predictor.session.close()


def test_a_cpu_tries_none(package: Package) -> None:
    with capture_logs() as lines:
        start_with("cpu", 1, cuda_graphs=True)(package)
    assert "cuda-graphs-tried" not in {line["event"] for line in lines}


@pytest.mark.parametrize("summary", ["{", '{"schema_version": 2, "distributions": [], "shares": []}'])
def test_a_package_whose_summary_cannot_be_read_is_refused(
    package: Package, tmp_path: Path, summary: str
) -> None:
    folder = shutil.copytree(package.path, tmp_path / "package")
    (folder / TRAINING_SUMMARY).write_text(summary)
    seal(folder, package.manifest)
    with pytest.raises(PackageInvalidError, match=TRAINING_SUMMARY):
        start_with("cpu", 1)(open_package(folder))
