"""Services forked from a process that has loaded the program: loading it takes far longer than all else a start does.

`python -m tests.support.forked N` is that process; it takes its orders from the socket with that number.
"""

import atexit
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

ROOT: Final = Path(__file__).parents[2]
MOST_BYTES: Final = 1 << 20
"""Of an order: an environment, mostly."""
ENOUGH_S: Final = 60
"""For a process that has nothing to do but end."""


class Process(Protocol):
    """What tests do with one, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int, /) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class Forked:
    """A process that was forked elsewhere.

    Args:
        channel: Tells its number, and when it has ended how.

    Raises:
        RuntimeError: What should fork it has ended, and has said why.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._ended: int | None = None
        if not (number := channel.recv(MOST_BYTES)):
            channel.close()
            raise RuntimeError("no service can be forked: the process that had loaded the program has ended")
        self.pid = int(number)

    def poll(self) -> int | None:
        """How it ended, None where it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, once it has.

        Raises:
            subprocess.TimeoutExpired: It runs on.
        """
        if self._ended is None:
            self._channel.settimeout(timeout)
            try:
                told = self._channel.recv(MOST_BYTES)
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired("serve", timeout or 0) from None
            self._channel.close()
            if not told:  # whoever waited for it was ended, and cannot say how it ends
                self._ended = -signal.SIGKILL
                _killed(self.pid)
                raise RuntimeError("a service was left alone by the process that waits for it, and killed")
            self._ended = int(told)
        return self._ended

    def send_signal(self, sig: int, /) -> None:
        """To a process that runs; its number may be another's afterwards."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended, which is being told
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def serve(log: Path, environment: Mapping[str, str], constants: Mapping[str, float] | None = None) -> Forked:
    """Run `neurofuse serve` in the folder where this process is.

    Args:
        log: File for all that it writes.
        environment: Its variables.
        constants: Other values for constants of the code, by module and name.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    order = {
        "log": str(log),
        "folder": str(Path.cwd()),
        "environment": dict(environment),
        "constants": dict(constants or {}),
    }
    with theirs:
        socket.send_fds(_mould(), [json.dumps(order).encode()], [theirs.fileno()])
    return Forked(ours)


def set_constants(constants: Mapping[str, float]) -> None:
    """Give constants of the code other values; what is not there cannot be given one."""
    for place, value in constants.items():
        module, _, name = place.rpartition(".")
        part = importlib.import_module(module)
        getattr(part, name)
        setattr(part, name, value)


@cache
def _mould() -> socket.socket:
    """Where the process takes its orders that all are forked from; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        # In a session of its own: Ctrl-C is answered by the tests, which end what they have started.
        process = subprocess.Popen(  # noqa: S603 - our own words
            command, cwd=ROOT, pass_fds=[theirs.fileno()], start_new_session=True
        )
    atexit.register(_ended, process)
    atexit.register(ours.close)  # before that
    return ours


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(ENOUGH_S)
    except subprocess.TimeoutExpired:  # somebody still holds the socket that it reads
        process.kill()


def _killed(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _fork_as_told(orders: socket.socket) -> None:
    importlib.import_module("app.cli.serve")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for the services
    while True:
        order, channels, _, _ = socket.recv_fds(orders, MOST_BYTES, 1)
        if not order:
            return
        if os.fork() == 0:
            orders.close()
            _attend(socket.socket(fileno=channels[0]), json.loads(order))
        os.close(channels[0])


def _attend(channel: socket.socket, order: dict[str, Any]) -> None:
    """Have it served, tell how that ended, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (pid := os.fork()) == 0:
        channel.close()
        _serve(**order)
    channel.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # the tests were ended
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _serve(log: str, folder: str, environment: dict[str, str], constants: dict[str, float]) -> None:
    with Path(log).open("wb") as stream:
        for number in (sys.stdout.fileno(), sys.stderr.fileno()):
            os.dup2(stream.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    set_constants(constants)
    sys.exit(importlib.import_module("app.cli").main(["serve"]))


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as told:
        _fork_as_told(told)
