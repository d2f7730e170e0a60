"""A client goes before it was answered."""

from typing import Final

from starlette.requests import ClientDisconnect, Request

from app.inference.ticket import AbandonedError

GONE: Final = (ClientDisconnect, AbandonedError)
"""What ends a request whose client has gone: in the middle of its body, or later."""
ABANDONED: Final = "abandoned"
"""In place of a problem's code, which nobody is told."""


async def departure(request: Request) -> None:
    """Return once the client has gone.

    The server says so of itself: nobody has to ask it again and again, as `Request.is_disconnected` does.

    Args:
        request: Its body has been read, and nobody else waits for the connection.
    """
    while (await request.receive())["type"] != "http.disconnect":
        pass
