"""A table comes in pieces to those who can put them together, and whole to those who cannot."""

import socket

import pytest

from app.api.table_answer import TableAnswer
from tests.api.test_body_blocks import READ_BYTES, served

NAMED = {"Content-Disposition": 'attachment; filename="table.csv"'}
LINES = ["id,label\r\n", "1,gos_4\r\n2,gos_5\r\n"]


def all_of(connection: socket.socket) -> tuple[bytes, bytes]:
    """Headers and body of an answer after which the connection ends."""
    gathered = b""
    while part := connection.recv(READ_BYTES):
        gathered += part
    head, _, body = gathered.partition(b"\r\n\r\n")
    return head.lower(), body


@pytest.mark.parametrize(
    ("first_line", "chunked", "body"),
    [
        (b"GET / HTTP/1.0\r\n", False, "".join(LINES).encode()),
        (
            b"GET / HTTP/1.1\r\nConnection: close\r\n",
            True,
            b"".join(b"%x\r\n%b\r\n" % (len(line), line.encode()) for line in LINES) + b"0\r\n\r\n",
        ),
    ],
)
def test_a_client_that_knows_no_chunks_gets_the_table_and_nothing_between_its_lines(
    first_line: bytes, chunked: bool, body: bytes
) -> None:
    with served(TableAnswer(iter(LINES), headers=NAMED)) as connection:
        connection.sendall(first_line + b"Host: x\r\n\r\n")
        head, given = all_of(connection)
    assert given == body
    assert (b"transfer-encoding: chunked" in head) is chunked
    assert b"content-type: text/csv; charset=utf-8" in head
    assert b'content-disposition: attachment; filename="table.csv"' in head
    assert chunked or b"content-length: %d" % len(body) in head
