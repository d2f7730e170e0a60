"""A client goes before it was answered."""

from starlette.requests import Request


async def departure(request: Request) -> None:
    """Return once the client has gone.

    The server says so of itself: nobody has to ask it again and again, as `Request.is_disconnected` does.

    Args:
        request: Its body has been read, and nobody else waits for the connection.
    """
    while (await request.receive())["type"] != "http.disconnect":
        pass
