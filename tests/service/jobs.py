"""What the tests of jobs ask of a running service, and the receiver that it tells."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.imaging.nifti_bytes import parts
from tests.service.server import Server
from tests.support.waiting import wait_until

LOOK_S = 0.05
ASYNC = {"Prefer": "respond-async"}
NO_CT = b"".join(parts())
"""An image that no model for CT takes, which its voxels alone tell: what is told sooner is no job."""


def send(
    server: Server, image: Path | bytes, headers: dict[str, str] = ASYNC, **fields: str
) -> httpx.Response:
    """Send a case as a job."""
    content = image if isinstance(image, bytes) else image.read_bytes()
    parts = [(name, (None, value)) for name, value in fields.items()]
    return server.client.post("/predict", files=[*parts, ("image", ("image", content))], headers=headers)


def accepted(response: httpx.Response) -> str:
    """The id of a job that was accepted."""
    assert response.status_code == 202, response.text
    job_id: str = response.json()["id"]
    assert response.headers["location"] == f"/predictions/{job_id}"
    return job_id


def state(server: Server, job_id: str) -> str:
    name: str = server.client.get(f"/jobs/{job_id}").json()["state"]
    return name


def ended(server: Server, job_id: str) -> dict[str, Any]:
    """The status of a job once it has reached its last state."""

    def last() -> dict[str, Any] | None:
        status: dict[str, Any] = server.client.get(f"/jobs/{job_id}").json()
        return None if status["state"] in {"queued", "running"} else status

    found = wait_until(last, LOOK_S)
    assert found is not None
    return found


@dataclass
class Receiver:
    """An HTTP server that keeps what it is sent.

    Attributes:
        url: Where it listens.
        received: Path, headers in lower case and body of each request.
        statuses: What it answers next; 200 once they are used up.
        lets_go: While it is not set, what is sent to a path that begins with `/held` is not answered.
    """

    url: str = ""
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    lets_go: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have come."""
        wait_until(lambda: len(self.received) >= count, LOOK_S)


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a port of its own, over TLS where it is given a context."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append((self.path, headers, body))
            if self.path.startswith("/held"):
                receiver.lets_go.wait()
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Location", f"{receiver.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.server_port}"
        if tls:
            listening.socket = tls.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.lets_go.set()
            listening.shutdown()
            thread.join()
