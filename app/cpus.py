"""How many CPUs this process may use: a container, or a service of systemd, may have fewer than its machine."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

GROUPS: Final = Path("/sys/fs/cgroup")
OWN_GROUPS: Final = Path("/proc/self/cgroup")
"""cgroups(7): a line `<number>:<controllers>:<path>` for each hierarchy of version 1, and `0::<path>` for version 2."""
QUOTA: Final = ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us")
"""`<quota|max> <period>` in microseconds in one file of version 2, or in two of version 1, where -1 is no quota."""


@cache
def usable_cpus() -> int:
    """Count the CPUs that this process may use, by affinity and by quota; found once, since thread pools are sized once."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _quota_cpus(OWN_GROUPS, GROUPS)))


def _quota_cpus(own: Path, groups: Path) -> int:
    """The least quota of our control group and of those above it, rounded up to whole CPUs."""
    quotas = [quota for folder in _folders(own, groups) if (quota := _quota(folder)) is not None]
    return min(quotas, default=os.cpu_count() or 1)


def _folders(own: Path, groups: Path) -> Iterator[Path]:
    """Our control group and those above it. A container may see its own as the top, and not what its machine calls it."""
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            names = path.strip("/").split("/")
            yield from (groups.joinpath(controllers, *names[:depth]) for depth in range(len(names) + 1))


def _quota(folder: Path) -> int | None:
    words = [word for name in QUOTA for word in _text(folder / name).split()]
    try:
        quota, period = map(int, words)
    except ValueError:  # no such files, or `max`
        return None
    return -(-quota // period) if quota > 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
