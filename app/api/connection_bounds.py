"""No client holds a connection, or fills the memory, by what it does not read, or sends around a body: headers, trailers, framing of chunks, what comes after the answer.

uvicorn bounds an idle connection after an answer, not before one, and not one whose client sends on: a client that trickles its headers ("slowloris") or the
rest of a body that nobody reads could hold as many connections as the process may open files. The body itself has its own bounds
(`NEUROFUSE_UPLOAD_TIMEOUT_S`, `NEUROFUSE_MAX_UPLOAD_BYTES`).
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_TIMEOUT_S: Final = 10.0
"""From a connection, or the first byte of the next request on it, to the end of the headers."""
LINGER_S: Final = 60.0
"""From an answer that did not wait for the end of its request to that end: the client may be reading nothing before it has sent all (RFC 9112, section 9.6)."""
KEEP_ALIVE_S: Final = 75
"""Of a connection on which nothing is asked: longer than proxies and pools of clients keep theirs, often a minute. Where this side ends it first, a
request may be on the way, and the client does not know whether it was taken; uvicorn's own 5 seconds meet whoever polls."""
UNREAD_S: Final = 60.0
"""Twice this, at most, a connection stays whose client takes nothing of what waits for it ("slow read"): uvicorn would wait for ever, also to close it. As long as
nginx's `send_timeout`, since the kernel tells of what was taken in steps."""
UNSENT_BYTES: Final = 64 * 1024
"""What the kernel holds that is not on its way: it wants more as soon as less is left (tcp(7), TCP_NOTSENT_LOWAT). By itself it waits for a third of up to 4 MB to be
taken, which a slow line does not do in time."""
LARGEST_HEADERS_BYTES: Final = 512 * 1024
"""Well above any that a client needs, and above what one read from a socket brings, which may hold the end of a body too."""
LARGEST_HEADER_BYTES: Final = 16 * 1024
"""Of one value; proxies commonly take 8 KiB. What reads a value may take time that grows with its square: cookies do, in CPython before 3.11.10."""
TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's own protocol with those bounds."""

    _timer: asyncio.TimerHandle | None = None
    _in_headers = False
    _is_whole = True
    """Whether the request that came last has ended."""
    _moved = False
    """Whether what came ended headers, or was of a body."""
    _loose_bytes = 0
    """What came since: headers, trailers or the framing of a chunk, none of them complete."""
    _is_ending = False
    """Whether the connection ends with the request that is still on its way."""
    _is_refused = False
    """Whether a header was too large."""
    _unread_bytes = 0
    """What waited for the client when it was last looked at."""
    _has_read = False
    """Whether it has made room for more since."""
    _watch: asyncio.TimerHandle | None = None
    _answering: Any = None
    """uvicorn's cycle of the request that is being answered; others may have come after it."""

    def data_received(self, data: bytes) -> None:
        """Count what is neither a body nor complete."""
        self._moved = False
        super().data_received(data)
        self._loose_bytes = (0 if self._moved else self._loose_bytes) + len(data)
        if self._loose_bytes > LARGEST_HEADERS_BYTES:
            self._refuse()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.timeout_keep_alive = KEEP_ALIVE_S
        connection = transport.get_extra_info("socket")
        if connection.family in {socket.AF_INET, socket.AF_INET6} and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self._wait(HEADER_TIMEOUT_S)
        self._look()

    def resume_writing(self) -> None:
        """Write on: the client reads."""
        super().resume_writing()
        self._has_read = True

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of this request, where that has not begun."""
        super().on_message_begin()
        self._in_headers, self._is_whole = True, False
        self._wait(HEADER_TIMEOUT_S)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field, unless it is a trailer: those are no headers (RFC 9110, section 6.5.1), and there is no end to them."""
        if not self._in_headers:
            return
        if len(value) > LARGEST_HEADER_BYTES:
            self._is_refused = True
            raise ValueError("too large a header")
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, a header that is too large by its own status."""
        if self._is_refused or self._is_ending:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        if not self._is_ending:
            self.transport.write(TOO_LARGE)  # RFC 6585, section 5
        self.transport.close()

    def on_headers_complete(self) -> None:
        """They are here."""
        self._stop_waiting()
        self._in_headers, self._moved = False, True
        super().on_headers_complete()
        self.cycle.transport = cast("asyncio.Transport", _Closing(self.transport, self._end_after_answer))

    def on_chunk_header(self) -> None:
        """A chunk begins."""
        self._moved = True

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has ended; where it was answered before, wait for the next one, since uvicorn does not any more."""
        super().on_message_complete()
        self._is_whole = self._moved = True
        if self._is_ending:
            self.transport.close()
        elif self.cycle.response_complete:
            self._stop_waiting()
            self._wait(HEADER_TIMEOUT_S)

    def on_response_complete(self) -> None:
        """Wait for the end of a request that was answered before it."""
        super().on_response_complete()
        if self.cycle.response_complete and not self._is_whole:
            self._wait(LINGER_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more, and who is worked for has gone; uvicorn tells only the request that came last."""
        self._stop_waiting()
        if self._watch is not None:
            self._watch.cancel()
        if self._is_answering:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:  # noqa: ANN401 - uvicorn's own
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _end_after_answer(self) -> None:
        """Close the connection once nothing is on its way any more: what meets a closed one resets it, and the client loses the answer (RFC 9112, section 9.6)."""
        if self._is_whole or self.pipeline or not self.cycle.response_complete:
            self.transport.close()
            return
        self._is_ending = True
        if self.transport.can_write_eof():
            self.transport.write_eof()

    @property
    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

    def _look(self) -> None:
        """End the connection where nothing was taken since the last time."""
        unread = self.transport.get_write_buffer_size()
        if 0 < self._unread_bytes <= unread and not self._has_read:
            self.transport.abort()  # to close it would be to wait until all is taken
            return
        self._unread_bytes, self._has_read = unread, False
        self._watch = self.loop.call_later(UNREAD_S, self._look)

    def _wait(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._end, seconds)

    def _end(self, seconds: float) -> None:
        self._timer = None
        if self._is_answering:
            # Whoever waits for an answer does not lose it by what it sent after its request.
            self._wait(seconds)
        else:
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Closing:
    """A connection as uvicorn's cycle uses it, whose end is somebody else's affair.

    Args:
        transport: The connection.
        close: Ends it.
    """

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close
