import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from app.errors import NotReadyError, OverloadedError, PackageInvalidError
from app.inference import lost_device
from app.inference.graph_contract import INPUTS, OUTPUTS, input_shapes
from app.inference.session import OnnxSession
from app.inference.ticket import RETRY_AFTER_S
from app.model_package.package import Package
from app.model_package.store import ModelStore

LONGEST_S = 10.0
NOT_YET_S = 0.1


@pytest.fixture(scope="module")
def package(tiny_store: Path) -> Package:
    return ModelStore(tiny_store).load("gos", 1)


@pytest.fixture
def spoil(package: Package, tmp_path: Path) -> Callable[[Callable[[onnx.ModelProto], object]], Package]:
    """Give the package with a changed graph, its digests left aside."""

    def change(edit: Callable[[onnx.ModelProto], object]) -> Package:
        graph = onnx.load_model(package.model_path)
        edit(graph)
        onnx.save_model(graph, tmp_path / "model.onnx")
        shutil.copy(package.path / "embedding.npz", tmp_path)
        return Package(tmp_path, package.manifest, package.sha256)

    return change


Spoil = Callable[[Callable[[onnx.ModelProto], object]], Package]


def batch(package: Package, size: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    image, values, missing = input_shapes(package.manifest).values()
    return [
        rng.uniform(-100, 200, (size, *image)).astype(np.float32),
        rng.uniform(0, 100, (size, *values)).astype(np.float32),
        rng.integers(0, 2, (size, *missing)).astype(np.float32),
    ]


def ask_for_petabytes(graph: onnx.ModelProto) -> None:
    softmax = next(node for node in graph.graph.node if node.op_type == "Softmax")
    softmax.output[0] = "once"
    graph.graph.initializer.append(numpy_helper.from_array(np.array([10**15, 1, 1]), "often"))
    graph.graph.node.append(helper.make_node("Expand", ["once", "often"], ["repeated"]))
    graph.graph.node.append(
        helper.make_node("ReduceMean", ["repeated"], ["probabilities"], axes=[0], keepdims=0)
    )


BOUND: tuple[tuple[int, ...], ...] = ((), (1, 2))
"""Sizes that are captured. On a CPU nothing is; the tensors and the thread of a captured graph are the same as on a GPU."""


@pytest.mark.parametrize("captured", BOUND)
def test_tensors_that_stay_on_the_device_give_the_same_answers_whatever_ran_before(
    package: Package, captured: tuple[int, ...]
) -> None:
    anew, bound = OnnxSession(package), OnnxSession(package, captured=captured)
    sizes = [1, 3, 1, 2, *range(1, 12), 1]
    runs = [batch(package, size, seed) for seed, size in enumerate(sizes)]
    answers = [bound.run(*tensors) for tensors in runs]
    for tensors, answer in zip(runs, answers, strict=True):
        expected = anew.run(*tensors).tensors()
        for name, tensor in answer.tensors().items():
            np.testing.assert_array_equal(
                tensor, expected[name], err_msg="an earlier answer is not written over"
            )


@pytest.mark.parametrize("captured", BOUND)
def test_threads_that_share_tensors_on_the_device_never_mix_their_cases(
    package: Package, captured: tuple[int, ...]
) -> None:
    bound = OnnxSession(package, captured=captured)
    runs = [batch(package, 1 + seed % 2, seed) for seed in range(24)]
    alone = [bound.run(*tensors).probabilities for tensors in runs]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda tensors: bound.run(*tensors).probabilities, runs))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("captured", BOUND)
def test_a_run_that_fails_gives_its_tensors_back_and_the_next_one_answers(
    package: Package, captured: tuple[int, ...]
) -> None:
    bound = OnnxSession(package, captured=captured)
    image, values, missing = batch(package, 2)
    expected = bound.run(image, values, missing).probabilities
    with pytest.raises(NotReadyError):
        bound.run(image[:, :, :-1], values, missing)
    with pytest.raises(NotReadyError):
        bound.run(image, values[:, :-1], missing)
    np.testing.assert_array_equal(bound.run(image, values, missing).probabilities, expected)


@pytest.mark.parametrize("captured", BOUND)
def test_numbers_of_another_width_are_not_read_as_if_they_were_of_this_one(
    package: Package, captured: tuple[int, ...]
) -> None:
    bound, tensors = OnnxSession(package, captured=captured), batch(package, 2)
    wide = bound.run(*(tensor.astype(np.float64) for tensor in tensors))
    np.testing.assert_array_equal(wide.probabilities, bound.run(*tensors).probabilities)


def graph_threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith("gpu-runs")}


@pytest.mark.parametrize("captured", BOUND)
def test_a_session_on_a_device_has_a_thread_until_it_is_closed(
    package: Package, captured: tuple[int, ...]
) -> None:
    others = graph_threads()  # of sessions that are yet to be collected
    session = OnnxSession(package, captured=captured)
    for _ in range(3):
        session.run(*batch(package, 1))
    (thread,) = graph_threads() - others
    session.close()
    assert not thread.is_alive()


@pytest.mark.parametrize("captured", BOUND)
def test_runs_on_a_device_have_the_same_thread_whoever_asks(
    package: Package, monkeypatch: pytest.MonkeyPatch, captured: tuple[int, ...]
) -> None:
    threads = set[int]()
    run = ort.InferenceSession.run_with_iobinding

    def watched(session: ort.InferenceSession, *how: Any) -> None:
        threads.add(threading.get_ident())
        run(session, *how)

    monkeypatch.setattr(ort.InferenceSession, "run_with_iobinding", watched)
    session = OnnxSession(package, captured=captured)
    for _ in range(3):
        with ThreadPoolExecutor(
            1
        ) as asking:  # ONNX Runtime makes handles of cuDNN for each thread that it is run by
            asking.submit(session.run, *batch(package, 1)).result(LONGEST_S)
    assert len(threads) == 1
    session.close()


class Device:
    """ONNX Runtime's runs of bound tensors, watched on their way to a CPU, which ignores the numbers of graphs.

    Attributes:
        runs: Number of the graph and cases of each run; no number where none was named.
        holds: A number whose runs are held until `released`; `held` tells of one.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.runs: list[tuple[str | None, int]] = []
        self.holds = ""
        self.held, self.released = threading.Event(), threading.Event()
        run = ort.InferenceSession.run_with_iobinding

        def watched(
            session: ort.InferenceSession, binding: ort.IOBinding, options: ort.RunOptions | None = None
        ) -> None:
            number = None if options is None else options.get_run_config_entry("gpu_graph_id")
            if number == self.holds:
                self.held.set()
                assert self.released.wait(LONGEST_S)
            run(session, binding, options)
            self.runs.append((number, binding.get_outputs()[0].shape()[0]))

        patch.setattr(ort.InferenceSession, "run_with_iobinding", watched)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    return Device(monkeypatch)


def test_sizes_are_captured_when_a_session_opens_each_under_its_own_number(
    package: Package, device: Device
) -> None:
    OnnxSession(package, captured=(1, 2, 4))
    assert device.runs == [("-1", 1), ("1", 1), ("-1", 2), ("2", 2), ("-1", 4), ("4", 4)]


def test_nothing_is_captured_afterwards_whatever_is_asked_and_whatever_fails(
    package: Package, device: Device
) -> None:
    session = OnnxSession(package, captured=(1, 2))
    device.runs.clear()
    for size in (*range(1, 15), 2, 3, 1):
        session.run(*batch(package, size))
        image, values, missing = batch(package, 2)
        for broken in ((image[:, :, :-1], values, missing), (image, values[:, :-1], missing)):
            with pytest.raises(NotReadyError):
                session.run(*broken)
    assert [size for _, size in device.runs] == [*range(1, 15), 2, 3, 1]
    assert all(number == (str(size) if size in (1, 2) else "-1") for number, size in device.runs)


def test_where_nothing_is_captured_no_graph_is_named(package: Package, device: Device) -> None:
    OnnxSession(package, captured=()).run(*batch(package, 1))
    assert device.runs == [(None, 1)]


def test_no_other_session_runs_opens_or_closes_while_one_captures(package: Package, device: Device) -> None:
    answering, leaving = (OnnxSession(package, captured=()) for _ in range(2))
    device.holds = "1"
    with ThreadPoolExecutor() as threads:
        capturing = threads.submit(OnnxSession, package, captured=(1,))
        assert device.held.wait(LONGEST_S)
        others: list[Future[Any]] = [
            threads.submit(answering.run, *batch(package, 2)),
            threads.submit(leaving.close),
            threads.submit(OnnxSession, package),
        ]
        assert not wait(others, NOT_YET_S).done
        device.released.set()
        for each in (capturing, *others):
            each.result(LONGEST_S)
    assert device.runs == [("-1", 1), ("1", 1), (None, 2)]


def test_a_session_captures_when_the_runs_that_go_on_have_ended(package: Package, device: Device) -> None:
    answering = OnnxSession(package, captured=(1,))
    device.runs.clear()
    device.holds = "1"
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(answering.run, *batch(package, 1))
        assert device.held.wait(LONGEST_S)
        capturing = threads.submit(OnnxSession, package, captured=(2,))
        assert not wait([capturing], NOT_YET_S).done
        device.released.set()
        for each in (asked, capturing):
            each.result(LONGEST_S)
    assert device.runs[-1] == ("2", 2)
    assert ("1", 1) in device.runs[:-1]


def test_a_capture_that_fails_is_told_of_and_leaves_no_thread(spoil: Spoil) -> None:
    others = graph_threads()
    with pytest.raises(OverloadedError, match="no memory left"):
        OnnxSession(spoil(ask_for_petabytes), captured=(1,))
    assert graph_threads() <= others


def test_a_batch_is_its_cases_one_by_one(package: Package) -> None:
    session, inputs = OnnxSession(package), batch(package, 3)
    together = session.run(*inputs)
    for index in range(3):
        alone = session.run(*(each[index : index + 1] for each in inputs))
        for name in OUTPUTS:
            np.testing.assert_allclose(getattr(together, name)[index], getattr(alone, name)[0], atol=1e-6)


def test_the_same_question_has_the_same_answer_to_the_bit(package: Package) -> None:
    inputs = batch(package, 2)
    first, again = OnnxSession(package, threads=1).run(*inputs), OnnxSession(package, threads=1).run(*inputs)
    for name in OUTPUTS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_a_value_under_a_missing_flag_has_no_effect(package: Package) -> None:
    image, values, missing = batch(package, 1)
    other = np.where(missing == 1, values + 7, values)
    session = OnnxSession(package)
    np.testing.assert_array_equal(
        session.run(image, values, missing).probabilities, session.run(image, other, missing).probabilities
    )


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x09"])
def test_a_file_that_is_no_graph_is_refused(package: Package, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(PackageInvalidError, match=r"model\.onnx cannot be opened"):
        OnnxSession(Package(tmp_path, package.manifest, package.sha256))


@pytest.mark.parametrize("index", range(len(INPUTS)))
def test_an_input_of_another_shape_is_refused(spoil: Spoil, index: int) -> None:
    def widen(graph: onnx.ModelProto) -> None:
        graph.graph.input[index].type.tensor_type.shape.dim[-1].dim_value += 4
        del graph.graph.value_info[:]
        for output in graph.graph.output:  # leave it to the runtime to infer, so that the graph still loads
            for dim in output.type.tensor_type.shape.dim:
                dim.Clear()

    with pytest.raises(PackageInvalidError):
        OnnxSession(spoil(widen))


def test_a_fixed_batch_axis_is_refused(spoil: Spoil) -> None:
    def fix(graph: onnx.ModelProto) -> None:
        for value in (*graph.graph.input, *graph.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = 1

    with pytest.raises(PackageInvalidError, match="B free"):
        OnnxSession(spoil(fix))


def test_an_output_that_is_missing_is_named(spoil: Spoil) -> None:
    with pytest.raises(PackageInvalidError, match="embedding"):
        OnnxSession(spoil(lambda graph: graph.graph.output.pop()))


def test_an_answer_that_is_no_distribution_is_refused(spoil: Spoil) -> None:
    def double(graph: onnx.ModelProto) -> None:
        softmax = next(node for node in graph.graph.node if node.op_type == "Softmax")
        softmax.op_type = "Sigmoid"
        del softmax.attribute[:]

    package = spoil(double)
    with pytest.raises(PackageInvalidError, match="add up to 1"):
        OnnxSession(package).run(*batch(package, 1))


def test_an_answer_that_is_not_finite_is_refused(package: Package) -> None:
    image, values, missing = batch(package, 1)
    values[0, 0] = np.nan
    with pytest.raises(PackageInvalidError, match="not finite"):
        OnnxSession(package).run(image, values, np.zeros_like(missing))


def test_a_failure_of_the_runtime_has_a_name_and_no_values(package: Package) -> None:
    image, values, missing = batch(package, 1)
    with pytest.raises(NotReadyError, match="ONNX Runtime failed with InvalidArgument") as caught:
        OnnxSession(package).run(image[:, :, 1:], values, missing)
    assert caught.value.fields["retry_after_s"] == RETRY_AFTER_S


def test_a_gpu_that_is_lost_is_told_with_the_time_after_which_another_process_may_answer(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_how: object) -> None:
        raise RuntimeError("CUDA failure 700: an illegal memory access was encountered ; GPU=0")

    monkeypatch.setattr(lost_device, "DEVICE_LOST", threading.Event())
    monkeypatch.setattr(ort.InferenceSession, "run", lose)
    with pytest.raises(NotReadyError, match="lost to this process") as caught:
        OnnxSession(package).run(*batch(package, 1))
    assert caught.value.fields["retry_after_s"] == RETRY_AFTER_S


def test_a_failed_run_does_not_spoil_the_next(package: Package) -> None:
    session, (image, values, missing) = OnnxSession(package), batch(package, 1)
    before = session.run(image, values, missing)
    with pytest.raises(NotReadyError):
        session.run(image[:, :, 1:], values, missing)
    np.testing.assert_array_equal(session.run(image, values, missing).heatmap, before.heatmap)


def test_an_exhausted_device_is_overload_and_passes(spoil: Spoil) -> None:
    package = spoil(ask_for_petabytes)
    with pytest.raises(OverloadedError, match="no memory left") as caught:
        OnnxSession(package).run(*batch(package, 1))
    assert caught.value.fields["retry_after_s"] == RETRY_AFTER_S


def test_the_runtime_reports_to_nobody_and_keeps_no_id_of_this_machine(tmp_path: Path) -> None:
    quiet = {"ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS", "TF_BUILD", "XDG_CACHE_HOME"}
    inherited = {name: value for name, value in os.environ.items() if name not in quiet}
    loaded = subprocess.run(
        [sys.executable, "-c", "import app.inference.session"],
        env={**inherited, "HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert loaded.stderr == b""
    assert list(tmp_path.iterdir()) == []
