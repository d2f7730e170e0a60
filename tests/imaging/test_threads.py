import time
from itertools import count
from multiprocessing import get_context
from threading import Thread, get_ident

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging import threads
from app.imaging.threads import FEW, pieces, side_by_side


@given(st.integers(0, 200))
def test_pieces_are_the_whole_range_in_order(size: int) -> None:
    covered = [n for piece in pieces(size) for n in range(piece.start, piece.stop)]
    assert covered == list(range(size))


def test_every_item_is_worked_on_once() -> None:
    counted = np.zeros(50, np.intp)

    def add(n: int) -> None:
        counted[n] += 1

    side_by_side(add, range(50))
    assert (counted == 1).all()


def test_little_work_is_done_by_the_thread_that_asks() -> None:
    workers: set[int] = set()
    side_by_side(lambda _: workers.add(get_ident()), range(50), FEW - 1)
    assert workers == {get_ident()}


def test_what_a_call_raises_is_raised() -> None:
    def fail(n: int) -> None:
        raise ValueError(str(n))

    with pytest.raises(ValueError, match="0"):
        side_by_side(fail, range(3))


def test_no_call_still_runs_when_an_error_is_raised() -> None:
    began, ended = [], []

    def work(n: int) -> None:
        if n == 1:
            raise ValueError(str(n))
        began.append(n)
        time.sleep(0.01)
        ended.append(n)

    with pytest.raises(ValueError, match="1"):
        side_by_side(work, range(20))
    assert sorted(began) == sorted(ended)


@pytest.mark.parametrize("begin", [0, 1])
def test_where_no_more_threads_can_begin_every_item_is_worked_on_all_the_same(
    monkeypatch: pytest.MonkeyPatch, begin: int
) -> None:
    monkeypatch.setattr(threads, "usable_cpus", lambda: 4)
    begun, begin_thread = count(), Thread.start

    def start(thread: Thread) -> None:
        if next(begun) >= begin:
            raise RuntimeError("can't start new thread")
        begin_thread(thread)

    monkeypatch.setattr(Thread, "start", start)
    done = np.zeros(20, np.bool_)

    def work(n: int) -> None:
        time.sleep(0.01)
        done[n] = True

    side_by_side(work, iter(range(20)))
    assert done.all()


def test_an_error_of_a_call_is_not_taken_for_a_thread_that_cannot_begin() -> None:
    called: list[int] = []

    def fail(n: int) -> None:
        called.append(n)
        raise RuntimeError("can't start new thread")

    with pytest.raises(RuntimeError):
        side_by_side(fail, range(20))
    assert len(called) == len(set(called))


def test_a_forked_process_works_with_threads_of_its_own() -> None:
    side_by_side(str, range(20))
    child = get_context("fork").Process(target=side_by_side, args=(str, range(20)))
    child.start()
    child.join(20)
    child.kill()
    assert child.exitcode == 0
