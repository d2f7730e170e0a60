"""A server in a process of its own, with all that it starts."""

import sys
import time
from pathlib import Path

from benchmarks.processes import Process, tree

PARENT = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "time.sleep(60)"
)
DEADLINE_S = 20


def test_all_that_a_process_started_is_found_weighed_and_killed(tmp_path: Path) -> None:
    process = Process([sys.executable, "-c", PARENT], {}, tmp_path / "log")
    deadline = time.monotonic() + DEADLINE_S
    while len(tree(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    both = tree(process.pid)
    assert len(both) == 2
    assert process.resident_bytes() > 2**20
    assert process.cpu_s() >= 0
    process.kill()
    while any(_lives(pid) for pid in both) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(_lives(pid) for pid in both)


def _lives(pid: int) -> bool:
    """Neither gone nor waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
