"""Clients that HTTP libraries do not let one write: they speak, trickle, stop, and half-close as they like."""

import select
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.service.server import Server
from tests.support.waiting import LONGEST_S

BOUNDARY: Final = "x"
MULTIPART: Final = f"multipart/form-data; boundary={BOUNDARY}"
PAUSE_S: Final = 0.005
"""Between two spaces of a trickle: short enough for the service to be woken by them (`app.api.body_blocks`) within an upload's time."""


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    """A bare connection to the service."""
    url = server.client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=LONGEST_S) as connection:
        yield connection


def form(image: bytes) -> bytes:
    """The body of a request to `/predict`."""
    return (
        b'--x\r\nContent-Disposition: form-data; name="task"\r\n\r\ngos\r\n'
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        + image
        + b"\r\n--x--\r\n"
    )


def head(length: int, route: str = "POST /predict", kind: str = MULTIPART) -> bytes:
    """The headers of a request."""
    return (
        f"{route} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def trickle(connections: Collection[socket.socket]) -> None:
    """Send a space now and then on each, until the service answers there."""
    unanswered, deadline = set(connections), time.monotonic() + LONGEST_S
    while unanswered:
        assert time.monotonic() < deadline, "not answered"
        unanswered -= set(select.select(unanswered, (), (), PAUSE_S)[0])
        for each in unanswered:
            with suppress(ConnectionError):  # answered, and closed, meanwhile
                each.sendall(b" ")


def rest(connection: socket.socket) -> bytes:
    """All that the service says until it closes."""
    received = bytearray()
    try:
        while block := connection.recv(1 << 16):
            received += block
    except ConnectionResetError:
        pass
    return bytes(received)
