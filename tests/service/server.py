"""A real server in a process of its own, on a port of its own: what an operator runs, once the program has loaded (`own`: from the start)."""

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.forked import Process, serve
from tests.support.ports import free_port
from tests.support.waiting import LONGEST_S, end

OF_ANY_MACHINE = {"queue_limit": 16, "read_timeout_s": LONGEST_S, "read_workers": 1}
"""Tests send several cases at once, and let readers stand still, on whatever machine they run; a small one has few places by default.

Each reader reads every golden case before a service is ready: those have several whose tests are about them, or about many cases."""


def files_below(folder: Path) -> list[Path]:
    """Files of a folder in which a service works: unlike `rglob`, this bears with folders that go meanwhile."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def named_below(folder: Path, name: str) -> list[Path]:
    """Files and folders there with this in their names."""
    found = (Path(place, each) for place, folders, names in os.walk(folder) for each in (*folders, *names))
    return [path for path in found if name in path.name]


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
    process: Process

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
        deadline = time.monotonic() + LONGEST_S
        while (found := self.uploads()) and time.monotonic() < deadline:
            time.sleep(0.01)
        return found


@contextmanager
def serving(
    store: Path,
    data: Path,
    *,
    ready: bool = True,
    constants: Mapping[str, float] | None = None,
    own: bool = False,
    **settings: Any,
) -> Iterator[Server]:
    """Run `neurofuse serve`.

    Args:
        store: Model store.
        data: Data folder; the log lies beside it.
        ready: Wait until the packages are ready, not only until the process answers.
        constants: Other values for constants of the code, by module and name: for a time that a test waits for, or must outrun.
        own: Start a program of its own, as an operator does; the others are forked from one that has loaded (`tests.support.forked`).
        **settings: More `NEUROFUSE_` variables, in lower case.
    """
    port = free_port()
    chosen = {
        "model_store": store,
        "data": data,
        "port": port,
        "threads": 1,
        **OF_ANY_MACHINE,
        **settings,
    }
    environment = os.environ | {f"NEUROFUSE_{name.upper()}": str(value) for name, value in chosen.items()}
    log = data.with_suffix(".log")
    process = _started(log, environment) if own else serve(log, environment, constants)
    try:
        with _client(port, chosen.get("tls_certificate")) as client:
            _wait(client, process, "/readyz" if ready else "/livez", log)
            yield Server(client, data, log, process)
    finally:
        end(process)


def _started(log: Path, environment: Mapping[str, str]) -> Process:
    command = [sys.executable, "-m", "app.cli", "serve"]
    with log.open("wb") as stream:
        return subprocess.Popen(command, env=environment, stderr=stream, stdout=stream)  # noqa: S603 - our own words


def _client(port: int, certificate: Path | None) -> httpx.Client:
    """Speaks to the service, over TLS where it has a certificate, which is then the one that is trusted."""
    if certificate is None:
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST_S)
    trusted = ssl.create_default_context(cafile=str(certificate))
    return httpx.Client(base_url=f"https://127.0.0.1:{port}", timeout=LONGEST_S, verify=trusted)


def _wait(client: httpx.Client, process: Process, path: str, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if client.get(path).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the server did not come up:\n{log.read_text()}")


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The document, after a check of all that every problem has."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    document: dict[str, Any] = response.json()
    assert (response.status_code, document["status"], document["type"]) == (
        status,
        status,
        f"/problems/{code}",
    )
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == response.headers["x-request-id"]
    return document
