"""The body of a request reaches the application in few large blocks.

uvicorn wakes the application for whatever one read of the socket brought and stops reading once 64 KiB wait for it. A case of 15 MB
then passes every layer of the application some sixty times. Here it is woken once a block has gathered, or the body is complete: a block, and one
read of the socket more, is the most that waits for it. While it writes a block to disk, the next one gathers. A client that sends a few bytes at a time
wakes it sooner.
"""

from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

from app.api.connection_bounds import BoundedProtocol
from app.api.upgrades import UpgradesPassedOver
from app.api.uploads import BLOCK_BYTES, MOST_CHUNKS


class Gathered:
    """Parts of a body in place of uvicorn's bytearray: what came is copied once, when it is taken, and nothing is moved to make room.

    Args:
        flow: Of the connection, which goes on once a block was taken.
    """

    def __init__(self, flow: FlowControl) -> None:
        self._flow = flow
        self._parts: list[bytes] = []
        self._bytes = 0

    def append(self, part: bytes) -> None:
        """Add what came."""
        self._parts.append(part)
        self._bytes += len(part)

    @property
    def is_block(self) -> bool:
        """Whether it is time to take what came."""
        return self._bytes >= BLOCK_BYTES or len(self._parts) >= MOST_CHUNKS

    def __bytes__(self) -> bytes:
        if self.is_block:
            self._flow.resume_reading()
        return b"".join(self._parts)


class BlocksProtocol(UpgradesPassedOver, BoundedProtocol):
    """uvicorn's own protocol with that gathering."""

    def on_body(self, body: bytes) -> None:
        """Gather a part of the body; the end of the body, and of the connection, wake the application elsewhere."""
        self._moved = True
        # uvicorn calls the body a bytearray, and wants no more of it than `bytes()`.
        cycle: Any = self.cycle
        if cycle.response_complete:
            return
        if type(cycle.body) is not Gathered:
            # uvicorn begins with a bytearray, and again whenever it was taken.
            cycle.body = Gathered(self.flow)
        cycle.body.append(body)
        if cycle.body.is_block:
            self.flow.pause_reading()  # until the application takes it
            cycle.message_event.set()
