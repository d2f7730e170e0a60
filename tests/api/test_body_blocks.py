"""app.api.body_blocks: a body comes to the application whole, in order, and in few large blocks."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.body_blocks import BlocksProtocol
from app.api.uploads import BLOCK_BYTES

READ_BYTES: Final = 2**18
"""The most that uvloop and asyncio read at once."""
BODY: Final = bytes(range(256)) * 2**14
"""4 MiB in which no block is like another place's."""


class Recorder:
    """An application that takes a body, then answers; how the body came is seen afterwards."""

    def __init__(self, takes: int | None = None) -> None:
        self.blocks: list[bytes] = []
        self.left = threading.Event()
        self._takes = takes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        more = True
        while more and (self._takes is None or len(self.blocks) < self._takes):
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            self.blocks.append(message["body"])
            more = message["more_body"]
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def served(application: ASGIApp, **options: Any) -> Iterator[socket.socket]:
    """A connection to a real uvicorn with the protocol."""
    config = uvicorn.Config(application, http=BlocksProtocol, lifespan="off", log_config=None, **options)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        try:
            with socket.create_connection(listening.getsockname(), timeout=20) as connection:
                yield connection
        finally:
            server.should_exit = True
            thread.join()


def sent(connection: socket.socket, body: bytes, length: int | None = None) -> None:
    length = len(body) if length is None else length
    connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode() + body)


def answer(connection: socket.socket) -> bytes:
    got = b""
    while not got.endswith(b"ok"):
        got += connection.recv(READ_BYTES)
    return got


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 17])
def test_a_body_of_any_size_comes_whole_and_a_second_one_on_the_same_connection_too(size: int) -> None:
    application = Recorder()
    with served(application) as connection:
        for _ in range(2):
            application.blocks.clear()
            sent(connection, BODY[:size])
            assert answer(connection).startswith(b"HTTP/1.1 200")
            assert b"".join(application.blocks) == BODY[:size]


def test_it_comes_in_blocks_none_of_which_is_much_larger_than_one() -> None:
    application = Recorder()
    with served(application) as connection:
        sent(connection, BODY)
        answer(connection)
    *blocks, last = application.blocks
    assert all(BLOCK_BYTES <= len(block) < BLOCK_BYTES + READ_BYTES for block in blocks)
    assert len(last) < BLOCK_BYTES + READ_BYTES
    assert len(application.blocks) <= len(BODY) // BLOCK_BYTES + 1


def test_the_next_block_gathers_while_the_application_is_busy_with_one() -> None:
    all_sent, ready = threading.Event(), []

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.to_thread(all_sent.wait)
        await asyncio.sleep(0.2)  # the loop reads meanwhile, as it does while a thread writes
        try:
            receive().send(None)  # type: ignore[attr-defined]  # a coroutine: it ends at once, or would wait
        except StopIteration as there:
            ready.append(there.value["body"])
        await Recorder()(scope, receive, send)

    with served(busy) as connection:
        sent(connection, BODY[: 3 * BLOCK_BYTES])
        all_sent.set()
        answer(connection)
    assert len(ready) == 1
    assert BLOCK_BYTES <= len(ready[0]) < BLOCK_BYTES + READ_BYTES


def test_many_small_pieces_wake_it_before_they_weigh_more_than_what_they_carry() -> None:
    application = Recorder()
    with served(application) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent(connection, BODY[:0], length=BLOCK_BYTES - 1)
        started = time.monotonic()
        given = 0
        while not application.blocks:
            assert time.monotonic() < started + 20
            connection.sendall(BODY[given : given + 1])
            given += 1
            time.sleep(0.0002)  # a read of the socket for each
        connection.sendall(BODY[given : BLOCK_BYTES - 1])
        answer(connection)
    assert b"".join(application.blocks) == BODY[: BLOCK_BYTES - 1]


def test_an_application_that_leaves_the_rest_unread_is_done() -> None:
    application = Recorder(takes=1)
    with served(application) as connection:
        sent(connection, BODY)
        assert answer(connection).startswith(b"HTTP/1.1 200")


def test_a_client_that_leaves_half_way_wakes_the_application() -> None:
    application = Recorder()
    with served(application) as connection:
        sent(connection, BODY[:100], length=1000)
        connection.close()
        assert application.left.wait(20)
    assert application.blocks == []
