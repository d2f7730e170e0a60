"""The body of a request reaches the application in few large blocks.

uvicorn wakes the application for whatever one read of the socket brought and stops reading once 64 KiB wait for it. A case of 15 MB
then passes every layer of the application some sixty times. Here it is woken once a block has gathered, or the body is complete: a block, and one
read of the socket more, is the most that waits for it.
"""

from app.api.header_timeout import HeaderTimeoutProtocol
from app.api.uploads import BLOCK_BYTES


class BlocksProtocol(HeaderTimeoutProtocol):
    """uvicorn's own protocol with that gathering."""

    def on_body(self, body: bytes) -> None:
        """Gather a part of the body; the end of the body, and of the connection, wake the application elsewhere."""
        if self.parser.should_upgrade() and self._should_upgrade():
            return  # a websocket's, of which there are none
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) >= BLOCK_BYTES:
            self.flow.pause_reading()  # until the application takes it
            cycle.message_event.set()
