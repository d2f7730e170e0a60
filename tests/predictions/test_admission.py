"""The queue is bounded, and nobody works for a client that has gone."""

import asyncio
import threading
import time
from contextlib import ExitStack
from functools import partial

import anyio
import anyio.lowlevel
import pytest
from prometheus_client import CollectorRegistry, Gauge

from app.errors import DeadlinePassedError, OverloadedError
from app.inference.ticket import AbandonedError, Ticket, Urgency, current_ticket
from app.predictions.admission import Admission
from tests.support.waiting import LONGEST_S


@pytest.fixture
def pending() -> Gauge:
    return Gauge("pending", "test", registry=CollectorRegistry())


def value(gauge: Gauge) -> float:
    return next(sample.value for family in gauge.collect() for sample in family.samples)


async def present() -> None:
    await anyio.sleep_forever()


async def gone() -> None:
    """It went before anybody asked."""


def test_places_are_counted_and_given_back(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=1, uploads=0, pending=pending)
        with admission.place(), admission.place():
            assert value(pending) == 2
            with pytest.raises(OverloadedError) as refused, admission.place():
                pytest.fail("a third place was given")
            assert refused.value.fields["limit"] == 2
            assert refused.value.fields["retry_after_s"] > 0
        assert value(pending) == 0
        with admission.place():
            assert value(pending) == 1

    anyio.run(run)


def test_a_place_is_given_back_after_a_failure(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=0, uploads=0, pending=pending)
        with pytest.raises(ZeroDivisionError), admission.place():
            _ = 1 / 0
        with admission.place():
            assert value(pending) == 1

    anyio.run(run)


def test_no_more_cases_are_worked_on_than_allowed(pending: Gauge) -> None:
    lock, inside, most = threading.Lock(), 0, 0
    both = threading.Barrier(2, timeout=LONGEST_S)

    def case(_waited_s: float) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        both.wait()  # there are always two at once
        threading.Event().wait(0.02)  # in which a third would come
        with lock:
            inside -= 1

    async def run() -> None:
        admission = Admission(concurrent=2, queue_limit=10, uploads=0, pending=pending)
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(admission.work, case, present)

    anyio.run(run)
    assert most == 2


def test_a_case_is_told_how_long_it_waited(pending: Gauge) -> None:
    waits: list[float] = []
    held = threading.Event()

    def case(waited_s: float) -> None:
        waits.append(waited_s)
        held.wait(LONGEST_S)

    async def run() -> float:
        admission = Admission(concurrent=1, queue_limit=10, uploads=0, pending=pending)
        began_s = time.monotonic()
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(admission.work, case, present)
            await anyio.wait_all_tasks_blocked()
            await anyio.sleep(0.05)
            held.set()
        return time.monotonic() - began_s

    took_s = anyio.run(run)
    assert 0 <= waits[0] <= waits[1] <= took_s
    assert waits[1] >= 0.05


def test_a_case_whose_client_has_gone_is_never_begun(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=0, uploads=0, pending=pending)
        with pytest.raises(AbandonedError):
            await admission.work(lambda _waited_s: pytest.fail("the case was begun"), gone)
        assert await admission.work(lambda _waited_s: "free again", present) == "free again"

    anyio.run(run)


def test_the_more_urgent_have_their_turn_first(pending: Gauge) -> None:
    turns: list[Urgency] = []

    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=10, uploads=0, pending=pending)
        held = threading.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(admission.work, lambda _waited_s: held.wait(LONGEST_S), present)
            await anyio.wait_all_tasks_blocked()
            for urgency in (Urgency.BATCH, Urgency.ROUTINE, Urgency.STAT, Urgency.ROUTINE):
                case = partial(lambda mine, _waited_s: turns.append(mine), urgency)
                group.start_soon(admission.work, case, present, Ticket(urgency))
            await anyio.wait_all_tasks_blocked()
            held.set()

    anyio.run(run)
    assert turns == [Urgency.STAT, Urgency.ROUTINE, Urgency.ROUTINE, Urgency.BATCH]


def test_a_client_that_goes_while_it_waits_gives_its_place_back_at_once(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=10, uploads=0, pending=pending)
        held = threading.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(admission.work, lambda _waited_s: held.wait(LONGEST_S), present)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(AbandonedError):
                await admission.work(lambda _waited_s: pytest.fail("the case was begun"), gone)
            assert not admission.idle, "it waited for its turn"
            held.set()
        assert await admission.work(lambda _waited_s: "free again", present) == "free again"

    anyio.run(run)


def test_a_case_whose_time_is_over_while_it_waits_is_told_so_at_once(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=10, uploads=0, pending=pending)
        held = threading.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(admission.work, lambda _waited_s: held.wait(LONGEST_S), present)
            await anyio.wait_all_tasks_blocked()
            late = Ticket(deadline_s=time.monotonic() + 0.05)
            with pytest.raises(DeadlinePassedError):
                await admission.work(lambda _waited_s: pytest.fail("the case was begun"), present, late)
            assert not admission.idle, "it waited for its turn"
            held.set()
        assert await admission.work(lambda _waited_s: "free again", present) == "free again"

    anyio.run(run)


def test_a_case_is_alone_until_another_is_worked_on(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=3, queue_limit=0, uploads=0, pending=pending)
        held = threading.Event()
        assert (admission.idle, admission.lone) == (True, True)
        async with anyio.create_task_group() as group:
            for idle, lone in ((False, True), (False, False), (False, False)):
                group.start_soon(admission.work, lambda _waited_s: held.wait(LONGEST_S), present)
                await anyio.wait_all_tasks_blocked()
                assert (admission.idle, admission.lone) == (idle, lone)
            held.set()
        assert (admission.idle, admission.lone) == (True, True)

    anyio.run(run)


def test_a_turn_that_comes_in_the_moment_its_taker_is_cancelled_goes_to_the_next(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=10, uploads=0, pending=pending)
        held = threading.Event()
        waiters: list[asyncio.Task[object]] = []

        async def first() -> None:
            await admission.work(lambda _waited_s: held.wait(LONGEST_S), present)
            waiters[0].cancel()  # it has its turn, and has not run since

        begun = asyncio.ensure_future(first())
        await anyio.wait_all_tasks_blocked()
        never = admission.work(lambda _waited_s: pytest.fail("the case was begun"), present)
        waiters.append(asyncio.ensure_future(never))
        await anyio.wait_all_tasks_blocked()
        held.set()
        await begun
        with pytest.raises(asyncio.CancelledError):
            await waiters[0]
        with anyio.fail_after(LONGEST_S):
            assert await admission.work(lambda _waited_s: "the next", present) == "the next"

    anyio.run(run)


def test_nobody_watches_a_client_whose_case_is_done(pending: Gauge) -> None:
    watched: list[str] = []

    async def departure() -> None:
        watched.append("begun")
        try:
            await anyio.sleep_forever()
        finally:
            watched.append("ended")

    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=0, uploads=0, pending=pending)
        await admission.work(lambda _waited_s: None, departure)
        await anyio.wait_all_tasks_blocked()
        assert watched == ["begun", "ended"]

    anyio.run(run)


def test_a_client_that_goes_while_its_case_is_worked_on_is_marked(pending: Gauge) -> None:
    async def run() -> None:
        left, loop = anyio.Event(), asyncio.get_running_loop()

        def case(_waited_s: float) -> bool:
            loop.call_soon_threadsafe(left.set)
            return current_ticket().gone.wait(LONGEST_S)

        admission = Admission(concurrent=1, queue_limit=0, uploads=0, pending=pending)
        assert await admission.work(case, left.wait)

    anyio.run(run)


def test_a_cohort_leaves_half_of_the_queue_and_urgent_cases_have_places_of_their_own(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=4, uploads=0, pending=pending)
        with ExitStack() as held:
            for _ in range(3):
                held.enter_context(admission.place(Urgency.BATCH))
            with pytest.raises(OverloadedError):
                held.enter_context(admission.place(Urgency.BATCH))
            for _ in range(2):
                held.enter_context(admission.place(Urgency.ROUTINE))
            with pytest.raises(OverloadedError):
                held.enter_context(admission.place(Urgency.ROUTINE))
            held.enter_context(admission.place(Urgency.STAT))

    anyio.run(run)


@pytest.fixture
def soon_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload is slow from its beginning."""
    monkeypatch.setattr("app.predictions.admission.SLOW_UPLOAD_S", 0.0)


@pytest.mark.usefixtures("soon_slow")
def test_a_slow_upload_keeps_nobody_out_and_is_in_line_again_once_it_is_here(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=0, uploads=2, pending=pending)
        with admission.place() as place:
            with place.uploading(), admission.place():
                assert value(pending) == 2
            with pytest.raises(OverloadedError) as refused, admission.place():
                pytest.fail("a second place was given")
            assert refused.value.fields["limit"] == 1

    anyio.run(run)


def test_an_upload_that_is_not_slow_is_in_line(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=0, uploads=2, pending=pending)
        with (
            admission.place() as place,
            place.uploading(),
            pytest.raises(OverloadedError),
            admission.place(),
        ):
            pytest.fail("a second place was given")

    anyio.run(run)


@pytest.mark.usefixtures("soon_slow")
def test_slow_uploads_are_bounded_too_and_a_cohort_gets_half_of_their_places(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=2, uploads=4, pending=pending)
        with ExitStack() as held:
            for urgency, most in ((Urgency.BATCH, 4), (Urgency.ROUTINE, 7), (Urgency.STAT, 8)):
                while value(pending) < most:
                    held.enter_context(held.enter_context(admission.place(urgency)).uploading())
                with pytest.raises(OverloadedError) as refused:
                    held.enter_context(admission.place(urgency))
                assert refused.value.fields["limit"] == most

    anyio.run(run)


def test_what_wants_no_turn_is_taken_in_where_the_line_is_full_and_is_not_in_it(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=0, uploads=1, pending=pending)
        with admission.place(wants_turn=False), admission.place():
            assert value(pending) == 2
        with admission.place(), admission.place(wants_turn=False):
            assert value(pending) == 2

    anyio.run(run)


def test_when_to_come_back_follows_from_who_is_here_and_how_long_cases_take(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=2, queue_limit=18, uploads=0, pending=pending)
        for _ in range(100):
            await admission.work(lambda _waited_s: None, present)
        with ExitStack() as held:
            for _ in range(20):
                held.enter_context(admission.place())
            assert admission.retry_after_s() == 1
            longest_s = 0.0
            for _ in range(3):
                began_s = time.monotonic()
                await admission.work(lambda _waited_s: threading.Event().wait(0.5), present)
                longest_s = max(longest_s, time.monotonic() - began_s)
            assert 1 < admission.retry_after_s() <= 20 / 2 * longest_s

    anyio.run(run)
