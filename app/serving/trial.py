"""A package that may end the process it is opened in is opened first in a process that nobody needs.

A graph is data, and the C++ that folds, optimises and runs it meets it for the first time here: one division of two integers in it ends a
process by SIGFPE. So what comes into a service that has cases to lose is made ready twice: in a process of its own, by the same function on the
same provider, and, once that process has lived through it, here. Errors that have a name end no process; they are told by the second time.
"""

import json
import os
import subprocess  # nosec B404
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from types import MappingProxyType
from typing import Final

import structlog

from app.errors import PackageInvalidError
from app.expendable import become_expendable
from app.model_package.package import Package, open_package
from app.serving.entry import stopping
from app.serving.start import start_as_set
from app.settings import ENV_PREFIX, Provider, Settings

NAME: Final = "package-trial"
"""Of the process, as `ps` shows it."""
LONGEST_S: Final[Mapping[Provider, float]] = MappingProxyType(
    {"cpu": 60.0, "cuda": 60.0, "tensorrt": 600.0}  # which compiles for minutes
)
"""For each device: one is made ready after the other."""
_NEEDED: Final = {"provider", "threads", "devices", "cuda_graphs", "max_batch", "batch_wait_ms"}
"""What of the settings decides how a package is opened; none of them is a secret."""

log = structlog.stdlib.get_logger(__name__)


class PackageTrial:
    """Opens packages in processes of their own, one at a time; blocks, so never call it on the event loop.

    Args:
        settings: Where models run.
        longest_s: Until a process is ended that is not done; by default what the provider may need.
    """

    def __init__(self, settings: Settings, longest_s: float | None = None) -> None:
        self._how = settings.model_dump_json(include=_NEEDED)
        self._longest_s = longest_s or longest_of(settings)
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def __call__(self, package: Package) -> None:
        """Make a package ready elsewhere, and forget it.

        Args:
            package: Verified.

        Raises:
            PackageInvalidError: It ended the process, or was not ready in time.
            NotReadyError: The service is stopping.
        """
        began_s = time.monotonic()
        fault = self._fault(package)
        log.info(
            "package-tried",
            model=str(package.manifest.reference),
            detail=fault or "lived through it",
            duration_ms=round(1000 * (time.monotonic() - began_s)),
        )
        if fault:
            raise PackageInvalidError(
                f"Expected a package that can be made ready, tried in a process of its own; it {fault}."
            )

    def close(self) -> None:
        """End a trial that is going on: the service is stopping. No other one begins."""
        with self._starting:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def _fault(self, package: Package) -> str | None:
        """What became of a package's process, and what to do about it; None where it lived."""
        with self._starting:
            self._check_open()
            self._process = process = _begin(package, self._how)
        try:
            status = process.wait(self._longest_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self._check_open()
            return f"was not ready after {self._longest_s:g} seconds. Load it when the service has less to do, or export a smaller one"
        self._check_open()
        return _told(status)

    def _check_open(self) -> None:
        if self._closed:
            raise stopping()


def longest_of(settings: Settings) -> float:
    """Seconds that a package may need until it is ready, by where models run."""
    devices = 1 if settings.provider == "cpu" else len(settings.devices.split(","))
    return devices * LONGEST_S[settings.provider]


def _begin(package: Package, how: str) -> subprocess.Popen[bytes]:
    secretless = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    return subprocess.Popen(  # noqa: S603 - this program, and a folder of the operator's  # nosec B603
        # -P: what lies in the folder that the service was started from is not what it runs.
        [sys.executable, "-P", "-m", __name__, str(package.path), how, str(os.getpid())],
        env={**secretless, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C at the terminal is for the service, which closes the trial
    )


def _told(status: int) -> str | None:
    """What an exit status says; None where it says that the process lived."""
    if status == -SIGTERM:  # service managers send it to every process of a service
        raise stopping()
    if status == -SIGKILL:
        return "ended that process by SIGKILL, as happens where memory runs out. Make room, or export a smaller one"
    if status:
        how = Signals(-status).name if status < 0 else f"status {status}"
        return f"ended that process by {how}. Export it again, or ask where it comes from"
    return None


def main(folder: str, how: str, parent: str) -> None:
    """Be the process of one trial: live through it, and say so by exit status 0.

    Args:
        folder: Of the package.
        how: Settings, as JSON.
        parent: Process that wants to know.
    """
    become_expendable(NAME)
    if os.getppid() != int(parent):  # it ended before the kernel was asked to tell
        return
    # One session, and one thread where nobody chose: cases are being answered beside it.
    start = start_as_set(Settings(**json.loads(how)), cpus=1)
    with suppress(Exception):  # it has a name, or gets one where the service meets it
        start(open_package(Path(folder)))
    os._exit(0)  # at once: a library that fails while it is taken down would not have ended the service


if __name__ == "__main__":
    main(*sys.argv[1:])
