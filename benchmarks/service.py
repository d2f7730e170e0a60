"""A service of our own for a benchmark: the installed command in a process of its own, on a free port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 30.0


@contextmanager
def running(model_store: Path, data: Path) -> Iterator[str]:
    """Serve until the block ends.

    Args:
        model_store: Packages to serve.
        data: Folder for what the service keeps.

    Yields:
        The base URL.
    """
    port = _free_port()
    environment = {
        **os.environ,
        "NEUROFUSE_PORT": str(port),
        "NEUROFUSE_MODEL_STORE": str(model_store),
        "NEUROFUSE_DATA": str(data),
        "NEUROFUSE_LOG_LEVEL": "ERROR",
    }
    command = [str(Path(sys.executable).parent / "neurofuse"), "serve"]
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own command
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(STOP_WITHIN_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    raise RuntimeError(f"the service was not ready within {READY_WITHIN_S:.0f} s; expected 200 from /readyz")
