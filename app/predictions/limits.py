"""Bounds on reading, as the operator chose them."""

from app.imaging.limits import ReadLimits
from app.imaging.workers.isolation import WorkerLimits
from app.settings import Settings


def read_limits(settings: Settings) -> ReadLimits:
    """Of what is read."""
    return ReadLimits(max_archive_bytes=settings.max_unpacked_bytes, max_voxels=settings.max_voxels)


def worker_limits(settings: Settings) -> WorkerLimits:
    """Of the processes that read."""
    return WorkerLimits(
        settings.readers,
        settings.read_timeout_s,
        settings.read_memory_bytes,
        reading=read_limits(settings),
    )
