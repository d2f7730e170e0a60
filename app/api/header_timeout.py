"""A connection whose client never finishes the headers of a request, or sends too many, is closed.

uvicorn bounds an idle connection after an answer, not before one: a client that trickles its headers ("slowloris") could
hold as many connections as the process may open files; nor their size, so that they could fill the memory. The body has its own bound (`NEUROFUSE_UPLOAD_TIMEOUT_S`).
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_TIMEOUT_S: Final = 10.0
"""From a connection, or the first byte of the next request on it, to the end of the headers."""
LARGEST_HEADERS_BYTES: Final = 512 * 1024
"""Well above any that a client needs, and above what one read from a socket brings, which may hold the end of a body too."""
TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class HeaderTimeoutProtocol(HttpToolsProtocol):
    """uvicorn's own protocol with those bounds."""

    _timer: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Count what comes while headers are waited for."""
        super().data_received(data)
        self._header_bytes = self._header_bytes + len(data) if self._timer else 0
        if self._header_bytes > LARGEST_HEADERS_BYTES:
            self.transport.write(TOO_LARGE)  # RFC 6585, section 5
            self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of this request, where that has not begun."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """They are here."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEADER_TIMEOUT_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
