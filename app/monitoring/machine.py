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
OWN_CGROUP: Final = Path("/proc/self/cgroup")
PROCESSES: Final = Path("/proc")
_RESIDENT: Final = 1
"""Second number of `/proc/PID/statm`, in pages (proc(5))."""


class MachineCollector(Collector):
    """Disk, memory of the container or unit, and memory of the processes that read images.

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
            group = _own_group()
            limit = int((group / "memory.max").read_text())
            used = int((group / "memory.current").read_text()) - _cached_bytes(group)
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


def _own_group() -> Path:
    """A container sees its own control group as the top; systemd names that of a unit, and the top has no limit (cgroups(7), `0::<path>`)."""
    with suppress(OSError):
        for line in OWN_CGROUP.read_text().splitlines():
            own = CGROUP / line.removeprefix("0::").lstrip("/")
            if line.startswith("0::/") and (own / "memory.max").exists():
                return own
    return CGROUP


def _cached_bytes(group: Path) -> int:
    """Of files that were read or written, which the kernel keeps until it needs the room: with them every container that writes files is full one day.

    As `docker stats` and Kubernetes' working set count.
    """
    with suppress(OSError):
        for line in (group / "memory.stat").read_text().splitlines():
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
