"""app.predictions.limits: what the operator chose is what holds where images are read."""

from app.predictions.limits import read_limits, worker_limits
from app.settings import Settings


def test_every_bound_on_reading_reaches_the_processes_that_read() -> None:
    settings = Settings(
        read_workers=3,
        read_timeout_s=7,
        read_memory_bytes=2**31,
        max_unpacked_bytes=5_000_000,
        max_voxels=1_000_000,
    )
    found = worker_limits(settings)
    assert (found.workers, found.timeout_s, found.memory_bytes) == (3, 7, 2**31)
    assert found.reading == read_limits(settings)
    assert (found.reading.max_archive_bytes, found.reading.max_voxels) == (5_000_000, 1_000_000)
