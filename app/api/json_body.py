"""Bodies of JSON requests, bounded: FastAPI by itself would gather whatever a client sends in memory."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from app.errors import UploadTooLargeError

MAX_JSON_BYTES: Final = 2**20


class BoundedJson(APIRoute):
    """A route whose body is read here, up to `MAX_JSON_BYTES`, before FastAPI parses it.

    Raises:
        UploadTooLargeError: The body has more.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the bound."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            body = await read_body(request, MAX_JSON_BYTES)
            return await handle(Request(request.scope, _replay(request, body)))

        return bounded


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body.

    Args:
        request: Nothing of its body has been read.
        limit: Most bytes.

    Raises:
        UploadTooLargeError: There are more.
    """
    gathered = bytearray()
    async for chunk in request.stream():
        gathered += chunk
        if len(gathered) > limit:
            raise UploadTooLargeError(
                f"Expected at most {limit} bytes of JSON; the request has more.",
                limit=limit,
            )
    return bytes(gathered)


def _replay(request: Request, body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    """Gives the body once, then what the connection says, so that a client that leaves is still noticed."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return await request.receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
