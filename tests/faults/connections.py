"""Clients that HTTP libraries do not let one write: they speak, stop, and half-close as they like."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.service.server import Server

BOUNDARY: Final = "x"
TIMEOUT_S: Final = 60


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    """A bare connection to the service."""
    url = server.client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=TIMEOUT_S) as connection:
        yield connection


def form(image: bytes) -> bytes:
    """The body of a request to `/predict`."""
    return (
        b'--x\r\nContent-Disposition: form-data; name="task"\r\n\r\ngos\r\n'
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        + image
        + b"\r\n--x--\r\n"
    )


def head(length: int) -> bytes:
    """The headers of a request to `/predict`."""
    return (
        "POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def rest(connection: socket.socket) -> bytes:
    """All that the service says until it closes."""
    received = bytearray()
    try:
        while block := connection.recv(1 << 16):
            received += block
    except ConnectionResetError:
        pass
    return bytes(received)
