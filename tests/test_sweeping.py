"""Sweeping goes on, whatever a store says."""

import time

import anyio
import anyio.from_thread

from app.metrics import Metrics
from app.sweeping import keep_sweeping


class FaultyDisk:
    """A store whose disk fails each time it is swept."""

    def __init__(self) -> None:
        self.swept = 0

    def sweep(self) -> int:
        self.swept += 1
        raise OSError("disk")


class Counter:
    """A store that counts its sweeps."""

    swept = 0

    def sweep(self) -> int:
        self.swept += 1
        return 0


class Watch:
    """A store that says when it was swept twice."""

    def __init__(self) -> None:
        self.twice = anyio.Event()
        self._swept = 0

    def sweep(self) -> int:
        self._swept += 1
        if self._swept == 2:
            anyio.from_thread.run_sync(self.twice.set)
        return 1


async def _sweeps_of_a_faulty_disk(metrics: Metrics) -> int:
    faulty, watch = FaultyDisk(), Watch()
    async with anyio.create_task_group() as group:
        group.start_soon(keep_sweeping, (faulty, watch), metrics.sweep_faults, 0.0)
        with anyio.fail_after(10):
            await watch.twice.wait()
        group.cancel_scope.cancel()
    return faulty.swept


def test_every_store_is_swept_again_and_again_past_faults_which_are_counted() -> None:
    metrics = Metrics()
    swept = anyio.run(_sweeps_of_a_faulty_disk, metrics)
    assert swept >= 2
    assert metrics.registry.get_sample_value("neurofuse_sweep_faults_total") == swept


async def _sweeps_by_clock(*offsets_s: float) -> int:
    """Sweeps while the clock stands so many seconds beside the real one, one look after the other."""
    left, store, ended = list(offsets_s), Counter(), anyio.Event()

    def clock() -> float:
        if len(left) == 1:
            ended.set()
        return time.time() + (left.pop(0) if len(left) > 1 else left[0])

    async with anyio.create_task_group() as group:
        group.start_soon(keep_sweeping, (store,), Metrics().sweep_faults, 0.0, clock)
        with anyio.fail_after(10):
            await ended.wait()
        group.cancel_scope.cancel()
    return store.swept


def test_nothing_is_removed_by_a_clock_that_has_just_jumped_on() -> None:
    year_s = 365 * 24 * 3600.0
    assert anyio.run(_sweeps_by_clock, 0, 0, year_s, year_s, year_s) == 1
    # Set right again, or a step as NTP makes them: it goes on.
    assert anyio.run(_sweeps_by_clock, 0, 0, year_s, 0, 0, 0) >= 2
    assert anyio.run(_sweeps_by_clock, 0, 0, 10, -10, 0) >= 3
