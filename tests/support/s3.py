"""A server that speaks S3, of the tests' own; what it keeps is gone with its process."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import httpx
import pytest
from fsspec import filesystem, get_filesystem_class

from tests.support.ports import free_port
from tests.support.waiting import LONGEST_S

BUCKET: Final = "neurofuse"


@dataclass(frozen=True)
class ObjectStore:
    """A running server.

    Attributes:
        endpoint: Its address.
    """

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """What the S3 client of a process reads."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "S3cret-CANARY-key",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def objects(self) -> str:
        """The bucket's own list, as XML."""
        return httpx.get(f"{self.endpoint}/{BUCKET}?list-type=2", timeout=LONGEST_S).text


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """The server, with one bucket, started by the first test that asks for it."""
    port = free_port()
    server = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        store = ObjectStore(f"http://127.0.0.1:{port}")
        try:
            _make_bucket(store, process)
            yield store
        finally:
            process.terminate()


@dataclass(frozen=True)
class SilentStore:
    """A server that takes connections and never answers.

    Attributes:
        url: Of a place on it.
        listening: Where it is asked.
    """

    url: str
    listening: socket.socket

    def wait_until_hung_up(self) -> None:
        """Go on once whoever asked first, of those that were not waited for, has closed the connection.

        Raises:
            TimeoutError: It stays open.
        """
        self.listening.settimeout(LONGEST_S)
        with self.listening.accept()[0] as connection:
            connection.settimeout(LONGEST_S)
            while connection.recv(2**16):
                pass


@pytest.fixture
def silent_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentStore]:
    """The server."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        for name, value in ObjectStore(f"http://127.0.0.1:{listening.getsockname()[1]}").environment.items():
            monkeypatch.setenv(name, value)
        clients = get_filesystem_class("s3")
        clients.clear_instance_cache()
        # Made beforehand, and then found again: it takes seconds on a busy machine, and what is tested is the wait for the store.
        filesystem("s3", use_listings_cache=False).connect()
        yield SilentStore(f"s3://{BUCKET}/nowhere", listening)
        clients.clear_instance_cache()


@pytest.fixture
def unreachable_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a place on a server that is not there."""
    for name, value in ObjectStore("http://127.0.0.1:9").environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    clients = get_filesystem_class("s3")
    clients.clear_instance_cache()  # it remembers clients, not what they read from the environment
    yield f"s3://{BUCKET}/nowhere"
    clients.clear_instance_cache()


def _make_bucket(store: ObjectStore, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + LONGEST_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.put(f"{store.endpoint}/{BUCKET}", timeout=LONGEST_S).raise_for_status()
            return
        time.sleep(0.05)
    raise RuntimeError("the object store did not come up")
