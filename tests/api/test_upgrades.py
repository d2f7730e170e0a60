"""app.api.upgrades: a request that asks for another protocol is answered, body and all, in the one it came in."""

import pytest

from tests.api.test_body_blocks import BODY, READ_BYTES, Recorder, answer, served

HTTP_2 = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
"""What Java's HttpClient sends."""
OTHERS = {
    "HTTP/2": HTTP_2,
    "TLS": b"Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
    "websocket": b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    "two": b"Upgrade: h2c\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
}


@pytest.mark.parametrize("wish", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("size", [0, 1, len(BODY)])
def test_its_body_comes_whole_and_so_does_that_of_the_next_request(wish: bytes, size: int) -> None:
    application = Recorder()
    with served(application) as connection:
        for _ in range(2):
            application.blocks.clear()
            head = b"POST / HTTP/1.1\r\nHost: x\r\n" + wish + b"Content-Length: %d\r\n\r\n" % size
            connection.sendall(head + BODY[:size])
            assert answer(connection).startswith(b"HTTP/1.1 200")
            assert b"".join(application.blocks) == BODY[:size]


def test_so_does_a_body_in_chunks_that_comes_after_the_headers() -> None:
    application = Recorder()
    with served(application) as connection:
        connection.sendall(
            b"POST /p?q=1 HTTP/1.1\r\nHost: x\r\n"
            + HTTP_2
            + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert connection.recv(READ_BYTES).startswith(b"HTTP/1.1 100")
        for byte in b"3\r\nabc\r\n0\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert answer(connection).startswith(b"HTTP/1.1 200")
    assert b"".join(application.blocks) == b"abc"


def test_requests_that_follow_at_once_are_answered_too() -> None:
    application = Recorder()
    with served(application) as connection:
        connection.sendall(3 * (b"POST / HTTP/1.1\r\nHost: x\r\n" + HTTP_2 + b"Content-Length: 3\r\n\r\nabc"))
        got = b""
        while got.count(b"\r\n\r\nok") < 3:
            part = connection.recv(READ_BYTES)
            assert part
            got += part
    assert b"".join(application.blocks) == b"abcabcabc"


def test_a_tunnel_is_refused() -> None:
    with served(Recorder()) as connection:
        connection.sendall(b"CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n")
        assert connection.recv(READ_BYTES).startswith(b"HTTP/1.1 400")
