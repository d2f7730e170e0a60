"""The queue is bounded, and nobody works for a client that has gone."""

import threading

import anyio
import pytest
from prometheus_client import CollectorRegistry, Gauge

from app.errors import OverloadedError
from app.predictions.admission import AbandonedError, Admission


@pytest.fixture
def pending() -> Gauge:
    return Gauge("pending", "test", registry=CollectorRegistry())


def value(gauge: Gauge) -> float:
    return next(sample.value for family in gauge.collect() for sample in family.samples)


async def present() -> bool:
    return False


async def gone() -> bool:
    return True


def test_places_are_counted_and_given_back(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=1, pending=pending)
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
        admission = Admission(concurrent=1, queue_limit=0, pending=pending)
        with pytest.raises(ZeroDivisionError), admission.place():
            _ = 1 / 0
        with admission.place():
            assert value(pending) == 1

    anyio.run(run)


def test_no_more_cases_are_worked_on_than_allowed(pending: Gauge) -> None:
    lock, inside, most = threading.Lock(), 0, 0

    def case(_waited_s: float) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.02)
        with lock:
            inside -= 1

    async def run() -> None:
        admission = Admission(concurrent=2, queue_limit=10, pending=pending)
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(admission.work, case, present)

    anyio.run(run)
    assert most == 2


def test_a_case_is_told_how_long_it_waited(pending: Gauge) -> None:
    waits: list[float] = []

    def case(waited_s: float) -> None:
        waits.append(waited_s)
        threading.Event().wait(0.05)

    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=10, pending=pending)
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(admission.work, case, present)

    anyio.run(run)
    assert waits[0] < 0.05 <= waits[1] + 0.005


def test_a_case_whose_client_has_gone_is_never_begun(pending: Gauge) -> None:
    async def run() -> None:
        admission = Admission(concurrent=1, queue_limit=0, pending=pending)
        with pytest.raises(AbandonedError):
            await admission.work(lambda _waited_s: pytest.fail("the case was begun"), gone)
        assert await admission.work(lambda _waited_s: "free again", present) == "free again"

    anyio.run(run)
