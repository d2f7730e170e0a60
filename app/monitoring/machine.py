"""Gauges of the machine that this process runs on, read when they are asked for."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CGROUP: Final = Path("/sys/fs/cgroup")
PROCESSES: Final = Path("/proc")
_RESIDENT: Final = 1
"""Second number of `/proc/PID/statm`, in pages (proc(5))."""


class MachineCollector(Collector):
    """Disk, memory of the container, and memory of the processes that read images.

    Args:
        data: The data folder.
        version: Of this program.
    """

    def __init__(self, data: Path, version: str) -> None:
        self._data = data
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """What can be told here; what the machine does not say is left out."""
        build = GaugeMetricFamily("neurofuse_build_info", "Always 1.", labels=("version", "python"))
        build.add_metric((self._version, ".".join(map(str, sys.version_info[:3]))), 1)
        yield build
        with suppress(OSError):  # the folder is made when the service starts
            usage = shutil.disk_usage(self._data)
            yield GaugeMetricFamily("neurofuse_disk_free_bytes", "Free in the data folder.", value=usage.free)
            yield GaugeMetricFamily("neurofuse_disk_bytes", "Size of that disk.", value=usage.total)
        with suppress(OSError, ValueError):  # no control group of version 2, or one without a limit ("max")
            limit = int((CGROUP / "memory.max").read_text())
            used = int((CGROUP / "memory.current").read_text()) - _cached_bytes()
            yield GaugeMetricFamily("neurofuse_memory_limit_bytes", "Of the container.", value=limit)
            yield GaugeMetricFamily(
                "neurofuse_memory_used_bytes", "Of that limit, without files at hand.", value=used
            )
        with suppress(OSError):
            yield GaugeMetricFamily(
                "neurofuse_workers_resident_memory_bytes",
                "Memory of the processes that read images; shared pages count in each.",
                value=sum(map(_resident_bytes, _descendants(os.getpid()))),
            )


def _cached_bytes() -> int:
    """Of files that were read or written, which the kernel keeps until it needs the room: with them every container that writes files is full one day.

    As `docker stats` and Kubernetes' working set count.
    """
    with suppress(OSError):
        for line in (CGROUP / "memory.stat").read_text().splitlines():
            name, _, number = line.partition(" ")
            if name == "inactive_file":
                return int(number)
    return 0


def _descendants(process: int) -> Iterator[int]:
    for thread in (PROCESSES / str(process) / "task").iterdir():
        with suppress(OSError):  # gone meanwhile
            for child in map(int, (thread / "children").read_text().split()):
                yield child
                with suppress(OSError):
                    yield from _descendants(child)


def _resident_bytes(process: int) -> int:
    with suppress(OSError):
        pages = (PROCESSES / str(process) / "statm").read_text().split()[_RESIDENT]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0
