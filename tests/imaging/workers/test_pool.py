"""app.imaging.workers.pool: a task is done by a process that may be lost, and whatever it does costs its borrower alone."""

import math
import multiprocessing
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from app.imaging.workers.fork_server import LeanContext
from app.imaging.workers.pool import FAULTY, PoolClosedError, WorkerEndedError, WorkerPool
from tests.support.waiting import wait_until

CONTEXT: Final = LeanContext()
SIZE: Final = 2


def pool_of(
    size: int = SIZE, tasks_per_worker: int = 100, rehearse: Callable[[], object] = os.getpid
) -> WorkerPool:
    return WorkerPool(size, tasks_per_worker, partial(os.umask, 0o077), CONTEXT, rehearse)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    """One for all tests: each must leave it able to work."""
    made = pool_of()
    yield made
    made.close()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A file that is read without end until somebody writes to it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


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
    with ThreadPoolExecutor(8) as threads, closing(pool_of(tasks_per_worker=1000)) as pool:
        found = set(threads.map(lambda _: pool.run(os.getpid), range(200)))
    assert len(found) <= SIZE


def test_a_process_is_replaced_after_its_share_of_tasks_by_one_that_has_rehearsed() -> None:
    others = multiprocessing.active_children()
    pool = pool_of(size=1, tasks_per_worker=2, rehearse=partial(os.umask, 0o022))
    try:
        first = {pool.run(os.getpid), pool.run(os.getpid)}
        assert len(first) == 1
        wait_until(lambda: pool.run(os.getpid) not in first)
        assert pool.run(partial(os.umask, 0o022)) == 0o022, "as the rehearsal left it"
        wait_until(lambda: len(set(multiprocessing.active_children()).difference(others)) == 1)
        assert all(map(_is_gone, first))
    finally:
        pool.close()


def test_whoever_has_done_its_share_works_on_until_its_successor_is_ready(pipe: Path) -> None:
    pool = pool_of(size=1, tasks_per_worker=2, rehearse=partial(Path.read_bytes, pipe))
    try:
        first = pool.run(os.getpid)
        assert {pool.run(os.getpid) for _ in range(20)} == {first}
        pipe.write_bytes(b"ready")
        wait_until(lambda: pool.run(os.getpid) != first)
    finally:
        pool.close()


def test_one_whose_successor_cannot_begin_works_on_and_the_next_one_is_tried() -> None:
    pool = pool_of(size=1, tasks_per_worker=2, rehearse=partial(os._exit, 3))
    try:
        found = set()
        for _ in range(200):
            found.add(pool.run(os.getpid))
            time.sleep(0.001)
        assert len(found) == 1
    finally:
        pool.close()


def test_what_was_done_is_not_lost_where_no_file_is_to_be_had_for_a_successor() -> None:
    pool, (files, most) = pool_of(size=1, tasks_per_worker=2), resource.getrlimit(resource.RLIMIT_NOFILE)
    first = pool.run(os.getpid)
    os.close(free := os.dup(0))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, most))
        assert pool.run(os.getpid) == first
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    try:
        wait_until(lambda: pool.run(os.getpid) != first)
    finally:
        pool.close()


def test_successions_while_others_work_lose_no_task_and_leave_no_process_too_many() -> None:
    found, others = set[int](), multiprocessing.active_children()
    with ThreadPoolExecutor(8) as threads, closing(pool_of(tasks_per_worker=3)) as pool:

        def has_seen_successors() -> bool:  # which begin when the machine lets them
            found.update(threads.map(lambda _: pool.run(os.getpid), range(200)))
            return len(found) > SIZE

        wait_until(has_seen_successors)
        wait_until(lambda: len(set(multiprocessing.active_children()).difference(others)) <= SIZE)
    assert set(multiprocessing.active_children()) <= set(others)


def test_closing_ends_a_successor_too() -> None:
    others = multiprocessing.active_children()
    pool = pool_of(size=1, tasks_per_worker=1, rehearse=partial(time.sleep, 60))
    pool.run(os.getpid)
    wait_until(lambda: len(set(multiprocessing.active_children()).difference(others)) == SIZE)
    pool.close()
    assert set(multiprocessing.active_children()) <= set(others)


def test_what_takes_too_long_is_ended(pool: WorkerPool, pipe: Path) -> None:
    with pytest.raises(TimeoutError):
        pool.run(partial(Path.read_bytes, pipe), 0.1)
    assert pool.run(partial(abs, -3)) == 3


def test_the_time_of_waiting_for_a_process_does_not_count(pipe: Path) -> None:
    enough_s = 3.0
    with ThreadPoolExecutor() as threads, closing(pool_of(size=1)) as pool:  # threads end when the pool has
        first = threads.submit(pool.run, partial(Path.read_bytes, pipe))
        with pipe.open("wb"):  # entered when the process reads
            waiting = threads.submit(pool.run, partial(abs, -3), enough_s)
            with pytest.raises(TimeoutError):
                waiting.result(enough_s + 0.5)
        assert first.result() == b""
        assert waiting.result() == 3


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
            pool.warm()
            assert len(set(multiprocessing.active_children()).difference(others)) == SIZE
    finally:
        pool.close()
    assert set(multiprocessing.active_children()) <= set(others)


def test_every_process_that_was_warmed_has_rehearsed_and_who_asks_meanwhile_waits_for_that() -> None:
    pool = pool_of(rehearse=partial(os.umask, 0o022))
    try:
        with ThreadPoolExecutor() as threads:
            for each in [threads.submit(pool.warm) for _ in range(3)]:
                each.result()
            found = list(threads.map(lambda _: pool.run(partial(os.umask, 0o022)), range(8)))
        assert set(found) == {0o022}
    finally:
        pool.close()


def test_warming_while_others_work_leaves_no_more_processes_than_there_may_be() -> None:
    pool, others = pool_of(), multiprocessing.active_children()
    try:
        with ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(pool.run, partial(abs, -3)) for _ in range(6)]
            pool.warm()
            assert {each.result() for each in asked} == {3}
        assert len(set(multiprocessing.active_children()).difference(others)) <= SIZE
    finally:
        pool.close()


def test_warming_ends_where_the_pool_is_closed_meanwhile() -> None:
    pool = pool_of(rehearse=partial(time.sleep, 60))
    with ThreadPoolExecutor() as threads:
        warming = threads.submit(pool.warm)
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
