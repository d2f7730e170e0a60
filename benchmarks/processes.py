"""A server in a process of its own with all that it starts: waited for, weighed, ended (Linux's /proc, proc(5))."""

import os
import signal
import socket
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

PROC: Final = Path("/proc")
READY_WITHIN_S: Final = 120.0
STOP_WITHIN_S: Final = 30.0
LOOK_S: Final = 0.02
PAGES_RESIDENT: Final = 1
"""Place of the resident pages in /proc/<pid>/statm."""
PARENT: Final = 1
"""Place of the parent in /proc/<pid>/stat, counted after the command's name."""
TIMES: Final = slice(11, 15)
"""Places of user and system time there, its own and that of children it has waited for, in clock ticks."""


class Process:
    """A command that listens.

    Args:
        command: Program and arguments.
        environment: Beside this process's own.
        log: Where it writes; nowhere by default.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path = Path(os.devnull)
    ) -> None:
        self._log = log
        with log.open("wb") as stream:
            self._process = subprocess.Popen(  # noqa: S603 - a command of the benchmark
                command,
                env={**os.environ, **environment},
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt at the keyboard reaches us, and we end it
            )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def wait_until(self, url: str) -> None:
        """Wait until an address answers 200.

        Raises:
            RuntimeError: It has ended, or takes too long.
        """
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(url, timeout=READY_WITHIN_S).status_code == HTTPStatus.OK:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(LOOK_S)
        raise RuntimeError(f"the server was not ready within {READY_WITHIN_S:.0f} s; see {self._log}")

    def resident_bytes(self) -> int:
        """Resident memory of the process and all below it, what they share counted once for each."""
        return sum(_resident_bytes(pid) for pid in tree(self.pid))

    def cpu_s(self) -> float:
        """Processor time that the process and all below it have taken, those that have ended included."""
        return sum(_cpu_s(pid) for pid in tree(self.pid))

    def kill(self) -> None:
        """End it as a power cut would: it and all below it at once, without a word."""
        for pid in tree(self.pid):
            _kill(pid)
        self._process.wait()

    def close(self) -> None:
        """End it, and whatever of its own it leaves behind."""
        below = tree(self.pid)
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in below[1:]:
            _kill(pid)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tree(root: int) -> list[int]:
    """A process and all below it, itself first."""
    children = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children[parent].append(int(entry.name))
    found = [root]
    for pid in found:  # grows while it is walked
        found.extend(children[pid])
    return found


def _parent(entry: Path) -> int | None:
    fields = _stat(entry)
    return int(fields[PARENT]) if fields else None


def _cpu_s(pid: int) -> float:
    return sum(map(int, _stat(PROC / str(pid))[TIMES])) / os.sysconf("SC_CLK_TCK")


def _stat(entry: Path) -> list[str]:
    """The fields of a process' stat after its command's name; none where it has just ended."""
    try:
        return (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _resident_bytes(pid: int) -> int:
    try:
        pages = (PROC / str(pid) / "statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(pages[PAGES_RESIDENT]) * os.sysconf("SC_PAGE_SIZE")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has ended of itself
        os.kill(pid, signal.SIGKILL)
