"""A real server in a process of its own, on a port of its own: what an operator runs, nothing in between."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

START_TIMEOUT_S = 60
LEFT_S = 10
QUEUE_LIMIT = 16
"""Tests send several cases at once on whatever machine they run; by default a small one has few places."""


def files_below(folder: Path) -> list[Path]:
    """Files of a folder in which a service works: unlike `rglob`, this bears with folders that go meanwhile."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


@dataclass(frozen=True)
class Server:
    """A running service.

    Attributes:
        client: Speaks to it.
        data: Its data folder.
        log: The file its standard error goes to.
        process: Its process.
    """

    client: httpx.Client
    data: Path
    log: Path
    process: subprocess.Popen[bytes]

    def predict(
        self, *images: Path | tuple[str, bytes], path: str = "/predict", **fields: str
    ) -> httpx.Response:
        """Send a case; an image is a file, or a name and its bytes."""
        parts = [each if isinstance(each, tuple) else (each.name, each.read_bytes()) for each in images]
        return self.client.post(path, data=fields, files=[("image", part) for part in parts])

    def uploads(self) -> list[Path]:
        """Files that lie in the folder of uploads now; empty folders there wait for the next."""
        return files_below(self.data / "uploads")

    def uploads_left(self) -> list[Path]:
        """Those that are still there when the answer has been for a while: it does not wait until they are gone."""
        deadline = time.monotonic() + LEFT_S
        while (found := self.uploads()) and time.monotonic() < deadline:
            time.sleep(0.01)
        return found


@contextmanager
def serving(store: Path, data: Path, *, ready: bool = True, **settings: Any) -> Iterator[Server]:
    """Run `neurofuse serve`.

    Args:
        store: Model store.
        data: Data folder; the log lies beside it.
        ready: Wait until the packages are ready, not only until the process answers.
        **settings: More `NEUROFUSE_` variables, in lower case.
    """
    port = free_port()
    chosen = {
        "model_store": store,
        "data": data,
        "port": port,
        "threads": 1,
        "queue_limit": QUEUE_LIMIT,
        **settings,
    }
    environment = os.environ | {f"NEUROFUSE_{name.upper()}": str(value) for name, value in chosen.items()}
    log = data.with_suffix(".log")
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"], env=environment, stderr=stream, stdout=stream
        )
    try:
        with _client(port, chosen.get("tls_certificate")) as client:
            _wait(client, process, "/readyz" if ready else "/livez", log)
            yield Server(client, data, log, process)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _client(port: int, certificate: Path | None) -> httpx.Client:
    """Speaks to the service, over TLS where it has a certificate, which is then the one that is trusted."""
    if certificate is None:
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    trusted = ssl.create_default_context(cafile=str(certificate))
    return httpx.Client(base_url=f"https://127.0.0.1:{port}", timeout=60, verify=trusted)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], path: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if client.get(path).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the server did not come up:\n{log.read_text()}")
