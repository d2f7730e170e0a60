"""app.api.connection_bounds: what comes around a body is bounded in bytes and in time, and a client that has gone is noticed."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from app.api import connection_bounds
from app.api.connection_bounds import LARGEST_HEADER_BYTES, LARGEST_HEADERS_BYTES
from tests.api.test_body_blocks import READ_BYTES, answer, served

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
ENDLESS = 16 * LARGEST_HEADERS_BYTES


class Answering:
    """An application that answers at once, without a look at the body; the names of the fields that it was given are seen afterwards."""

    def __init__(self) -> None:
        self.names: list[bytes] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})
        self.names += [name for name, _ in scope["headers"]]


@pytest.fixture
def application() -> Answering:
    return Answering()


@pytest.fixture
def connection(application: Answering) -> Iterator[socket.socket]:
    with served(application) as opened:
        yield opened


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side ends the connection, within the time that the socket has."""
    try:
        while connection.recv(READ_BYTES):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    ("begun", "endless"),
    [
        pytest.param(GET, b"X-A: " + b"a" * 1000 + b"\r\n", id="headers"),
        pytest.param(GET + b"X-A: ", b"a" * 1000, id="one header"),
        pytest.param(
            GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: " + b"a" * 1000 + b"\r\n", id="trailers"
        ),
        pytest.param(GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: ", b"a" * 1000, id="one trailer"),
        pytest.param(GET + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 1000, id="extension of a chunk"),
    ],
)
def test_what_has_no_end_and_is_no_body_ends_the_connection(
    connection: socket.socket, begun: bytes, endless: bytes
) -> None:
    with pytest.raises(OSError):  # noqa: PT011, PT012 - broken, or reset
        connection.sendall(begun)
        for _ in range(ENDLESS // len(endless)):
            connection.sendall(endless)
        assert is_closed(connection)
        raise OSError  # it took all, and closed then


def test_a_header_too_large_for_what_reads_it_is_refused_and_one_as_large_as_allowed_is_not(
    connection: socket.socket, application: Answering
) -> None:
    connection.sendall(GET + b"X-A: " + LARGEST_HEADER_BYTES * b"a" + b"\r\n\r\n")
    answer(connection)
    connection.sendall(GET + b"Cookie: a=" + LARGEST_HEADER_BYTES * b'"' + b"\r\n\r\n")
    assert connection.recv(READ_BYTES).startswith(b"HTTP/1.1 431 ")
    assert is_closed(connection)
    assert b"cookie" not in application.names


def test_a_body_in_many_small_chunks_is_not_taken_for_that(connection: socket.socket) -> None:
    connection.sendall(GET + b"Transfer-Encoding: chunked\r\n\r\n")
    connection.sendall(b"1\r\nx\r\n" * LARGEST_HEADERS_BYTES)
    connection.sendall(b"0\r\n\r\n" + GET + b"\r\n")
    assert answer(connection).endswith(b"ok")
    while b"ok" not in (rest := connection.recv(READ_BYTES)):
        assert rest


def test_trailers_are_no_headers_even_after_an_answer(
    connection: socket.socket, application: Answering
) -> None:
    for _ in range(2):
        connection.sendall(GET + b"Transfer-Encoding: chunked\r\n\r\n")
        answer(connection)
        connection.sendall(b"0\r\nX-Late: yes\r\n\r\n")
    assert set(application.names) == {b"host", b"transfer-encoding"}


@pytest.mark.parametrize("wish", [b"HTTP/1.0\r\n", b"HTTP/1.1\r\nConnection: close\r\n"])
def test_who_reads_nothing_before_all_is_sent_finds_the_answer_and_then_the_end(
    application: Answering, wish: bytes
) -> None:
    for _ in range(5):
        with served(application) as connection:
            connection.sendall(b"POST / " + wish + b"Host: x\r\nContent-Length: %d\r\n\r\n" % ENDLESS)
            for _ in range(ENDLESS // READ_BYTES):
                connection.sendall(READ_BYTES * b"a")
            answer(connection)
            assert is_closed(connection)


def test_who_waits_for_an_answer_before_it_sends_finds_the_end_behind_it(application: Answering) -> None:
    with served(application) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n")
        answer(connection)
        assert connection.recv(1) == b""


def test_what_comes_after_the_end_is_not_answered(application: Answering) -> None:
    with served(application) as connection:
        connection.sendall(GET + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer(connection)
        connection.sendall(b"no chunk\r\n")
        assert is_closed(connection)


def test_a_client_that_never_ends_the_request_that_was_answered_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, application: Answering
) -> None:
    monkeypatch.setattr(connection_bounds, "LINGER_S", 0.5)
    with served(application) as connection:
        connection.sendall(GET + b"Content-Length: 1000\r\n\r\n")
        answer(connection)
        connection.sendall(b"x")  # uvicorn does not bound the connection after this
        assert is_closed(connection)


def test_one_that_ends_it_late_may_ask_again_and_is_cut_off_where_it_does_not(
    monkeypatch: pytest.MonkeyPatch, application: Answering
) -> None:
    monkeypatch.setattr(connection_bounds, "HEADER_TIMEOUT_S", 1.0)
    with served(application) as connection:
        connection.sendall(GET + b"Content-Length: 1\r\n\r\n")
        answer(connection)
        connection.sendall(b"x" + GET + b"Content-Length: 1\r\n\r\n")
        answer(connection)
        connection.sendall(b"x")
        assert is_closed(connection)


def test_a_connection_on_which_nothing_is_asked_outlives_those_of_proxies(application: Answering) -> None:
    # nginx keeps its own for a minute, as load balancers do; uvicorn by itself ended it sooner, as here at once.
    assert connection_bounds.KEEP_ALIVE_S > 60
    with served(application, timeout_keep_alive=0) as connection:
        for _ in range(3):
            connection.sendall(GET + b"\r\n")
            answer(connection)
            connection.settimeout(0.2)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(20)


def test_and_ends_all_the_same(monkeypatch: pytest.MonkeyPatch, application: Answering) -> None:
    monkeypatch.setattr(connection_bounds, "KEEP_ALIVE_S", 1)
    with served(application, timeout_keep_alive=3600) as connection:
        connection.sendall(GET + b"\r\n")
        answer(connection)
        assert is_closed(connection)


def test_a_client_that_sent_on_and_has_gone_is_told_of_to_whoever_works_for_it() -> None:
    working, told = threading.Event(), threading.Event()

    async def slow(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        working.set()
        if (await receive())["type"] == "http.disconnect":
            told.set()

    with served(slow) as connection:
        connection.sendall(GET + b"\r\n" + GET + b"\r\n")
        assert working.wait(20)
        connection.close()
        assert told.wait(20)


def test_a_third_request_that_is_not_read_yet_ends_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_bounds, "HEADER_TIMEOUT_S", 0.3)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(1)
        await Answering()(scope, receive, send)

    with served(slow) as connection:
        connection.sendall(GET + b"\r\n" + GET + b"\r\n" + GET)
        got = b""
        while got.count(b"\r\n\r\nok") < 2:
            part = connection.recv(READ_BYTES)
            assert part
            got += part


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off_and_its_answer_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_bounds, "UNREAD_S", 0.3)
    told = threading.Event()

    async def telling(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2):  # the second part waits for the first to be taken
            await send({"type": "http.response.body", "body": bytes(2**24), "more_body": True})
        if (await receive())["type"] == "http.disconnect":
            told.set()

    with served(telling) as connection:
        connection.sendall(GET + b"\r\n")
        assert told.wait(20)


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="the kernel tells in large steps only")
def test_a_client_that_takes_little_at_a_time_gets_all_of_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_bounds, "UNREAD_S", 0.5)
    body = bytes(2**24)  # more than the kernel takes on both sides

    async def large(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    with served(large) as connection:
        connection.sendall(GET + b"\r\n")
        got = 0
        while got < len(body):
            part = connection.recv(2**14 if got < 2**20 else READ_BYTES)
            assert part
            if got < 2**20:  # some 0.3 MB within the bound, a third of what the kernel by itself waits for
                time.sleep(0.03)
            got += len(part)
