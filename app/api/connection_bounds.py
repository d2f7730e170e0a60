"""No client holds a connection, or fills the memory, by what it sends around a body: headers, trailers, the framing of chunks, and what comes after the answer.

uvicorn bounds an idle connection after an answer, not before one, and not one whose client sends on: a client that trickles its headers ("slowloris") or the
rest of a body that nobody reads could hold as many connections as the process may open files. The body itself has its own bounds
(`NEUROFUSE_UPLOAD_TIMEOUT_S`, `NEUROFUSE_MAX_UPLOAD_BYTES`).
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_TIMEOUT_S: Final = 10.0
"""From a connection, or the first byte of the next request on it, to the end of the headers."""
LINGER_S: Final = 60.0
"""From an answer that did not wait for the end of its request to that end: the client may be reading nothing before it has sent all (RFC 9112, section 9.6)."""
LARGEST_HEADERS_BYTES: Final = 512 * 1024
"""Well above any that a client needs, and above what one read from a socket brings, which may hold the end of a body too."""
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
    _answering: Any = None
    """uvicorn's cycle of the request that is being answered; others may have come after it."""

    def data_received(self, data: bytes) -> None:
        """Count what is neither a body nor complete."""
        self._moved = False
        super().data_received(data)
        self._loose_bytes = (0 if self._moved else self._loose_bytes) + len(data)
        if self._loose_bytes > LARGEST_HEADERS_BYTES:
            self.transport.write(TOO_LARGE)  # RFC 6585, section 5
            self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait(HEADER_TIMEOUT_S)

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of this request, where that has not begun."""
        super().on_message_begin()
        self._in_headers, self._is_whole = True, False
        self._wait(HEADER_TIMEOUT_S)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field, unless it is a trailer: those are no headers (RFC 9110, section 6.5.1), and there is no end to them."""
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """They are here."""
        self._stop_waiting()
        self._in_headers, self._moved = False, True
        super().on_headers_complete()

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
        if self.cycle.response_complete:
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
        if self._is_answering:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:  # noqa: ANN401 - uvicorn's own
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

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
