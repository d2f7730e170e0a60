"""How many CPUs this process may use: a container has fewer than its machine."""

import os
from functools import cache
from pathlib import Path
from typing import Final

CPU_MAX: Final = Path("/sys/fs/cgroup/cpu.max")
"""The quota of cgroup v2, as a container sees its own."""


@cache
def usable_cpus() -> int:
    """Count the CPUs that this process may use, by affinity and by quota; found once, since thread pools are sized once."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _quota_cpus(CPU_MAX)))


def _quota_cpus(cpu_max: Path) -> int:
    """Read the quota, `<quota|max> <period>` in microseconds, rounded up to whole CPUs."""
    try:
        quota, period = cpu_max.read_text(encoding="ascii").split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):  # no cgroup v2, or `max`: no quota
        return os.cpu_count() or 1
