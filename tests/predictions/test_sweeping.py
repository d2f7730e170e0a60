"""Sweeping goes on, whatever a store says."""

import anyio
import anyio.from_thread

from app.predictions.sweeping import keep_sweeping


class FaultyDisk:
    """A store whose disk fails each time it is swept."""

    def __init__(self) -> None:
        self.swept = 0

    def sweep(self) -> int:
        self.swept += 1
        raise OSError("disk")


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


async def _sweeps_of_a_faulty_disk() -> int:
    faulty, watch = FaultyDisk(), Watch()
    async with anyio.create_task_group() as group:
        group.start_soon(keep_sweeping, (faulty, watch), 0.0)
        with anyio.fail_after(10):
            await watch.twice.wait()
        group.cancel_scope.cancel()
    return faulty.swept


def test_every_store_is_swept_again_and_again_past_faults() -> None:
    assert anyio.run(_sweeps_of_a_faulty_disk) >= 2
