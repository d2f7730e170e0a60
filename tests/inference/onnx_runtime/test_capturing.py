"""While one captures a CUDA graph nobody else is on a GPU, and load never keeps it from its turn."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from app.inference.onnx_runtime.capturing import CaptureLock

LONGEST_S = 10.0
NOT_YET_S = 0.1


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_runs_go_on_side_by_side() -> None:
    lock, both = CaptureLock(), threading.Barrier(2, timeout=LONGEST_S)

    def run() -> None:
        with lock.together():
            both.wait()

    with ThreadPoolExecutor() as threads:
        for each in [threads.submit(run) for _ in range(2)]:
            each.result(LONGEST_S)


def test_whoever_comes_waits_for_the_end_of_a_capture() -> None:
    lock, begun = CaptureLock(), threading.Semaphore(0)

    def run() -> None:
        with lock.together():
            begun.release()

    def capture() -> None:
        with lock.alone():
            begun.release()

    with ThreadPoolExecutor() as threads:
        with lock.alone():
            waiting = [threads.submit(what) for what in (run, capture)]
            assert not begun.acquire(timeout=NOT_YET_S)
        for each in waiting:
            each.result(LONGEST_S)


def test_a_capture_waits_for_the_runs_before_it_and_goes_before_those_after_it() -> None:
    lock, order = CaptureLock(), list[str]()

    def capture() -> None:
        with lock.alone():
            order.append("capture")

    def run() -> None:
        with lock.together():
            order.append("run")

    with ThreadPoolExecutor() as threads:
        with lock.together():
            capturing = threads.submit(capture)
            eventually(lambda: lock._wanting == 1)
            later = threads.submit(run)
            assert not wait([later], NOT_YET_S).done
            order.append("the run before")
        capturing.result(LONGEST_S)
        later.result(LONGEST_S)
    assert order == ["the run before", "capture", "run"]


def test_of_many_captures_and_runs_each_capture_is_alone() -> None:
    lock, inside, met = CaptureLock(), list[str](), list[list[str]]()

    def capture() -> None:
        with lock.alone():
            inside.append("capture")
            met.append(inside.copy())
            inside.remove("capture")

    def run() -> None:
        with lock.together():
            inside.append("run")
            inside.remove("run")

    with ThreadPoolExecutor(8) as threads:
        for each in [threads.submit(capture if number % 5 == 0 else run) for number in range(500)]:
            each.result(LONGEST_S)
    assert met == [["capture"]] * 100


def test_what_fails_inside_lets_the_others_in() -> None:
    lock = CaptureLock()
    for way in (lock.alone, lock.together, lock.alone):
        with pytest.raises(ZeroDivisionError), way():
            _ = 1 / 0
    with lock.together():
        pass
