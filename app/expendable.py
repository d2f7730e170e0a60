"""A process beside the service that may be lost: it goes before the service does, and leaves no copy of what it had in memory."""

import ctypes
import resource
import signal
import sys
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal a process gets when its parent dies."""
PR_SET_NAME: Final = 15
"""prctl(2): what `ps` and proc(5) call a process, up to 15 bytes."""


def write_no_core_file() -> None:
    """Whatever ends this process, or one that it starts, no core file is written: it would be a copy of patients' images, and of passwords."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def become_expendable(name: str) -> None:
    """Let this process end with its parent at the latest, and before it where memory runs out.

    Only the first of it holds on other systems than Linux: no core file is written.

    Args:
        name: What it is called among processes.
    """
    write_no_core_file()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_NAME, name.encode())
        # Where memory runs out for the whole machine or container, the kernel takes this process, not the service.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
