"""What an ASGI server does between the lifespan and the requests, where the server is a replica of Ray Serve."""

from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SERVED_BY_HEADER: Final = "X-Served-By"
REQUEST_ID_HEADER: Final = "X-Request-ID"


class LifespanState:
    """An application whose requests see the state that its lifespan made.

    A server passes a copy of that state to every request (ASGI, Lifespan Protocol, "Lifespan State"). A replica of Ray Serve runs the
    lifespan by uvicorn's code and the requests by its own, and passes none.

    Args:
        app: Any ASGI application.
        served_by: Told to clients in a header: which replica, on which node.
        ended: Called once the lifespan has ended, before the server is told so and ends the process.

    Attributes:
        state: As the lifespan left it; empty before it has begun.
    """

    def __init__(self, app: ASGIApp, served_by: str, ended: Callable[[], None] = lambda: None) -> None:
        self._app = app
        self._served_by = served_by
        self._ended = ended
        self.state: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the lifespan, or one connection."""
        if scope["type"] == "lifespan":
            self.state = scope.setdefault("state", {})
            await self._app(scope, receive, self._told_last(send))
            return

        async def send_signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[SERVED_BY_HEADER] = self._served_by
                del headers[REQUEST_ID_HEADER]  # Ray adds one: the client's, whatever it is, or its own
            await send(message)

        await self._app({**scope, "state": dict(self.state)}, receive, send_signed)

    def _told_last(self, send: Send) -> Send:
        async def send_ended(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                self._ended()
            await send(message)

        return send_ended
