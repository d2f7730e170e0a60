"""A request that asks for another protocol (`Upgrade`) is answered in this one.

Java's `HttpClient` asks for HTTP/2 in the first request of every connection without TLS (`Upgrade: h2c`). A server may pass that over (RFC 9110,
section 7.8), but httptools takes all that follows the headers for the other protocol, the body too. Here such a request is read again without
that header.
"""

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class UpgradesPassedOver(HttpToolsProtocol):
    """uvicorn's own protocol, that speaks no other."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self.parser = _Parser(self)

    @property
    def _is_read_again(self) -> bool:
        """Whether the request whose headers are here will be read again."""
        return self.parser.should_upgrade()

    def on_headers_complete(self) -> None:
        """Begin with the request, unless it is read again."""
        if not self._is_read_again:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request has ended, unless it is read again."""
        if not self._is_read_again:
            super().on_message_complete()

    def read_again(self, rest: bytes) -> None:
        """Read the request whose headers came last without its `Upgrade`.

        Args:
            rest: What came behind these headers.

        Raises:
            httptools.HttpParserError: It has none: it is a CONNECT, which asks for a tunnel.
        """
        fields = [(name, value) for name, value in self.headers if name != b"upgrade"]
        if len(fields) == len(self.headers):
            raise httptools.HttpParserError("CONNECT")
        first = b"%b %b HTTP/%b" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        head = b"\r\n".join([first, *(b"%b: %b" % field for field in fields), b"", b""])
        self.parser = _Parser(self)
        self.parser.feed_data(head + rest)


class _Parser(httptools.HttpRequestParser):
    """Hands requests that ask for another protocol back.

    Args:
        protocol: Whose requests it reads.
    """

    def __init__(self, protocol: UpgradesPassedOver) -> None:
        super().__init__(protocol)
        self._protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's

    def feed_data(self, data: Any) -> None:  # noqa: ANN401 - whatever httptools takes
        """Read on."""
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as wish:
            self._protocol.read_again(bytes(data[wish.args[0] :]))
