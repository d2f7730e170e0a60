"""Why a service did not start, or ended badly, in our own words; and a server that ends with its application.

Starlette hands the server a whole traceback to log, and in it what libraries say: the host and the port of the database, for one.
"""

import sys
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import NeuroFuseError
from app.telemetry import describe_exception

FAILED: Final = ("lifespan.startup.failed", "lifespan.shutdown.failed")


class Server(uvicorn.Server):
    """Ends where its application has ended by a fault: uvicorn's own goes on listening, with nothing behind it, and nothing starts it anew.

    Args:
        app: What is served.
        **options: As `uvicorn.Config` takes them.

    Attributes:
        application: The same, as it is served.
    """

    def __init__(self, app: ASGIApp, **options: Any) -> None:  # noqa: ANN401 - as uvicorn takes them
        self.application = FailedStart(app)
        super().__init__(uvicorn.Config(self.application, **options))

    async def on_tick(self, counter: int) -> bool:
        """Whether it is time to end; asked ten times a second."""
        return await super().on_tick(counter) or self.application.has_failed


class FailedStart:
    """An application whose start or end, where it fails, is told to the server in one line.

    Args:
        app: What is started.

    Attributes:
        has_failed: Whether it was.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.has_failed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but the words of a failure."""

        async def told(message: Message) -> None:
            if message["type"] in FAILED:
                self.has_failed = True
                # It is sent where the error is handled: that is the one at hand.
                message = {**message, "message": _words(sys.exception())}
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "lifespan" else send)


def _words(error: BaseException | None) -> str:
    while isinstance(error, BaseExceptionGroup):  # of the tasks beside the requests; one of them says enough
        error = error.exceptions[0]
    match error:
        case None:
            return ""
        case NeuroFuseError():
            return f"{error.code}: {error.detail}"
        case OSError(filename=str() as file, strerror=str() as reason):  # of the operator's own settings
            return f"{type(error).__name__}: {file}: {reason}"
    described = describe_exception(error)
    return f"{described['error_type']} at {'; '.join(described['where'])}"
