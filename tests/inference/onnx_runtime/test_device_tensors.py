"""Tensors that stay on a device, on every one that there is here; a CPU is one that captures nothing and keeps tensors and thread as a GPU does."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from app.errors import NotReadyError, OverloadedError
from app.inference.onnx_runtime.providers import Provider
from app.inference.onnx_runtime.session import OnnxSession
from app.model_package.package import Package
from tests.inference.onnx_runtime.graphs import Spoil, ask_for_petabytes, batch
from tests.support.providers import assert_same, providers_here

LONGEST_S = 10.0
NOT_YET_S = 0.1

PLACES: list[tuple[Provider, tuple[int, ...]]] = [
    (provider, captured)
    for provider in providers_here()
    for captured in ((), (1, 2))
    if not captured or provider != "tensorrt"
]
"""Where a session runs, and the sizes that it captures."""
on_every_device = pytest.mark.parametrize(("provider", "captured"), PLACES)


@on_every_device
def test_tensors_that_stay_on_the_device_give_the_same_answers_whatever_ran_before(
    package: Package, provider: Provider, captured: tuple[int, ...]
) -> None:
    anew, bound = OnnxSession(package), OnnxSession(package, provider=provider, captured=captured)
    sizes = [1, 3, 1, 2, *range(1, 12), 1]
    runs = [batch(package, size, seed) for seed, size in enumerate(sizes)]
    answers = [bound.run(*tensors) for tensors in runs]
    for tensors, answer in zip(runs, answers, strict=True):
        expected = anew.run(*tensors).tensors()
        for name, tensor in answer.tensors().items():
            assert_same(provider, tensor, expected[name])  # an earlier answer is not written over


@on_every_device
def test_threads_that_share_tensors_on_the_device_never_mix_their_cases(
    package: Package, provider: Provider, captured: tuple[int, ...]
) -> None:
    bound = OnnxSession(package, provider=provider, captured=captured)
    runs = [batch(package, 1 + seed % 2, seed) for seed in range(24)]
    alone = [bound.run(*tensors).probabilities for tensors in runs]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda tensors: bound.run(*tensors).probabilities, runs))
    for one, other in zip(alone, together, strict=True):
        assert_same(provider, one, other)


@on_every_device
def test_a_run_that_fails_gives_its_tensors_back_and_the_next_one_answers(
    package: Package, provider: Provider, captured: tuple[int, ...]
) -> None:
    bound = OnnxSession(package, provider=provider, captured=captured)
    image, values, missing = batch(package, 2)
    expected = bound.run(image, values, missing).probabilities
    with pytest.raises(NotReadyError):
        bound.run(image[:, :, :-1], values, missing)
    with pytest.raises(NotReadyError):
        bound.run(image, values[:, :-1], missing)
    assert_same(provider, bound.run(image, values, missing).probabilities, expected)


@on_every_device
def test_a_batch_that_the_device_has_no_memory_for_leaves_it_to_others(
    package: Package, spoil: Spoil, provider: Provider, captured: tuple[int, ...]
) -> None:
    tensors = batch(package, 2)
    greedy = OnnxSession(spoil(ask_for_petabytes), provider=provider, captured=())
    modest = OnnxSession(package, provider=provider, captured=captured)
    expected = modest.run(*tensors).probabilities
    for _ in range(3):
        with pytest.raises(OverloadedError, match="no memory left for this batch"):
            greedy.run(*tensors)
        assert_same(provider, modest.run(*tensors).probabilities, expected)


@on_every_device
def test_numbers_of_another_width_are_not_read_as_if_they_were_of_this_one(
    package: Package, provider: Provider, captured: tuple[int, ...]
) -> None:
    bound, tensors = OnnxSession(package, provider=provider, captured=captured), batch(package, 2)
    wide = bound.run(*(tensor.astype(np.float64) for tensor in tensors))
    assert_same(provider, wide.probabilities, bound.run(*tensors).probabilities)


def graph_threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith("gpu-runs")}


@on_every_device
def test_a_session_on_a_device_has_a_thread_until_it_is_closed(
    package: Package, provider: Provider, captured: tuple[int, ...]
) -> None:
    others = graph_threads()  # of sessions that are yet to be collected
    session = OnnxSession(package, provider=provider, captured=captured)
    for _ in range(3):
        session.run(*batch(package, 1))
    (thread,) = graph_threads() - others
    session.close()
    assert not thread.is_alive()


@on_every_device
def test_runs_on_a_device_have_the_same_thread_whoever_asks(
    package: Package, monkeypatch: pytest.MonkeyPatch, provider: Provider, captured: tuple[int, ...]
) -> None:
    threads = set[int]()
    run = ort.InferenceSession.run_with_iobinding

    def watched(session: ort.InferenceSession, *how: Any) -> None:
        threads.add(threading.get_ident())
        run(session, *how)

    monkeypatch.setattr(ort.InferenceSession, "run_with_iobinding", watched)
    session = OnnxSession(package, provider=provider, captured=captured)
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
