"""app.imaging.worker_pool: a task is done by a process that may be lost, and whatever it does costs its borrower alone."""

import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import pytest

from app.imaging.fork_server import LeanContext
from app.imaging.worker_pool import FAULTY, PoolClosedError, WorkerEndedError, WorkerPool

CONTEXT: Final = LeanContext()
SIZE: Final = 2


def pool_of(size: int = SIZE, tasks_per_worker: int = 100) -> WorkerPool:
    return WorkerPool(size, tasks_per_worker, partial(os.umask, 0o077), CONTEXT)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    """One for all tests: each must leave it able to work."""
    made = pool_of()
    yield made
    made.close()


def test_a_task_is_done_elsewhere_and_its_value_comes_back(pool: WorkerPool) -> None:
    assert pool.run(partial(math.factorial, 20)) == math.factorial(20)
    assert pool.run(os.getpid) != os.getpid()


def test_a_process_is_prepared_before_it_does_anything(pool: WorkerPool) -> None:
    assert pool.run(partial(os.umask, 0o077)) == 0o077


def test_a_value_larger_than_a_pipe_holds_goes_both_ways(pool: WorkerPool) -> None:
    content = bytes(range(256)) * 2**14
    assert pool.run(partial(bytes.upper, content)) == content.upper()


def test_an_idle_process_is_used_again(pool: WorkerPool) -> None:
    assert len({pool.run(os.getpid) for _ in range(5)}) == 1


def test_no_more_work_at_the_same_time_than_there_may_be_and_the_others_wait() -> None:
    pool = pool_of(tasks_per_worker=1000)
    try:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: pool.run(os.getpid), range(200)))
        assert len(set(found)) <= SIZE
    finally:
        pool.close()


def test_a_process_is_replaced_after_its_share_of_tasks() -> None:
    pool = pool_of(tasks_per_worker=2)
    try:
        found = [pool.run(os.getpid) for _ in range(6)]
        assert found[0::2] == found[1::2]
        assert len(set(found)) == 3
    finally:
        pool.close()


def test_what_takes_too_long_is_ended_and_the_time_of_waiting_for_a_process_does_not_count() -> None:
    pool = pool_of(size=1)
    try:
        with ThreadPoolExecutor() as threads:
            slow = threads.submit(pool.run, partial(time.sleep, 60), 1.5)
            time.sleep(0.2)
            waiting = threads.submit(pool.run, partial(abs, -3), 1.4)
            with pytest.raises(TimeoutError):
                slow.result()
            assert waiting.result() == 3
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("task", "status"),
    [
        (partial(os._exit, 3), 3),
        (partial(signal.raise_signal, signal.SIGKILL), -signal.SIGKILL),
        (partial(signal.raise_signal, signal.SIGABRT), -signal.SIGABRT),
        (partial(int, "Secret^Name"), FAULTY),
        (threading.Lock, FAULTY),
    ],
    ids=["exit", "kill", "abort", "raises", "gives what cannot be sent"],
)
def test_a_process_that_ends_says_how_and_the_next_task_finds_another(
    pool: WorkerPool, capfd: pytest.CaptureFixture[str], task: partial[object], status: int
) -> None:
    with pytest.raises(WorkerEndedError) as caught:
        pool.run(task)
    assert caught.value.status == status
    assert "Secret" not in f"{caught.value!r}{''.join(capfd.readouterr())}"
    assert pool.run(partial(abs, -3)) == 3


def test_a_process_that_closes_its_pipe_and_stays_is_ended(pool: WorkerPool) -> None:
    pid = pool.run(os.getpid)
    with pytest.raises(WorkerEndedError) as caught:
        pool.run(partial(eval, "[__import__('os').closerange(3, 99), __import__('time').sleep(60)]"))
    assert caught.value.status is None or caught.value.status == 255
    assert _is_gone(pid)
    assert pool.run(partial(abs, -3)) == 3


def test_a_task_that_cannot_be_sent_costs_no_place(pool: WorkerPool) -> None:
    for _ in range(SIZE + 1):
        with pytest.raises(TypeError):
            pool.run(partial(len, [threading.Lock()]))
    assert pool.run(partial(abs, -3)) == 3


def test_a_process_that_ends_while_it_is_idle_costs_no_task(pool: WorkerPool) -> None:
    for is_known in (True, False):
        for _ in range(20):
            pid = pool.run(os.getpid)
            os.kill(pid, signal.SIGKILL)
            while is_known and not _is_gone(pid):
                time.sleep(0.001)
            assert pool.run(os.getpid) != pid


def test_processes_that_cannot_begin_are_not_tried_for_ever() -> None:
    pool = WorkerPool(SIZE, 100, partial(int, "no number"), CONTEXT)
    try:
        with pytest.raises(WorkerEndedError) as caught:
            pool.run(os.getpid)
        assert caught.value.status == FAULTY
    finally:
        pool.close()


def test_the_keys_of_a_terminal_do_not_reach_a_process(pool: WorkerPool) -> None:
    pid = pool.run(os.getpid)
    os.kill(pid, signal.SIGINT)
    assert pool.run(os.getpid) == pid


def test_warming_begins_every_process_there_may_be() -> None:
    pool, others = pool_of(), multiprocessing.active_children()
    try:
        for _ in range(2):
            pool.warm(os.getpid)
            assert len(set(multiprocessing.active_children()).difference(others)) == SIZE
    finally:
        pool.close()
    assert set(multiprocessing.active_children()) <= set(others)


def test_warming_while_others_work_leaves_no_more_processes_than_there_may_be() -> None:
    pool, others = pool_of(), multiprocessing.active_children()
    try:
        with ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(pool.run, partial(abs, -3)) for _ in range(6)]
            pool.warm(os.getpid)
            assert {each.result() for each in asked} == {3}
        assert len(set(multiprocessing.active_children()).difference(others)) <= SIZE
    finally:
        pool.close()


def test_warming_ends_where_the_pool_is_closed_meanwhile() -> None:
    pool = pool_of()
    with ThreadPoolExecutor() as threads:
        warming = threads.submit(pool.warm, partial(time.sleep, 60))
        time.sleep(0.2)
        pool.close()
        with pytest.raises(PoolClosedError):
            warming.result(timeout=20)


def test_closing_ends_what_is_done_and_what_waits_and_leaves_no_process() -> None:
    pool = pool_of(size=1)
    pid = pool.run(os.getpid)
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(pool.run, partial(time.sleep, 60)) for _ in range(3)]
        time.sleep(0.2)
        pool.close()
        pool.close()
        for each in asked:
            with pytest.raises(PoolClosedError):
                each.result()
    assert _is_gone(pid)
    with pytest.raises(PoolClosedError):
        pool.run(os.getpid)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
